/* NVIDIA's management library with one GPU of 24 GiB, of which a process that is none of ours holds what the file
   named by FAKE_NVML_FOREIGN says, in bytes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct { unsigned int version; unsigned long long total, reserved, free, used; } memory_t;
typedef struct { unsigned int pid; unsigned long long used; unsigned int gpu_instance, compute_instance; } process_t;

static unsigned long long foreign(void) {
    unsigned long long bytes = 0;
    FILE *file = fopen(getenv("FAKE_NVML_FOREIGN"), "r");
    if (file) {
        if (fscanf(file, "%llu", &bytes) != 1) bytes = 0;
        fclose(file);
    }
    return bytes;
}

/* A driver in trouble does not answer: while there is the file named by FAKE_NVML_HANG. */
static int begin(void) {
#ifdef BALLAST_MIB
    char *ballast = malloc(BALLAST_MIB << 20);
    if (ballast) memset(ballast, 1, BALLAST_MIB << 20);
    asm volatile("" : : "r"(ballast) : "memory");
#endif
    const char *hang = getenv("FAKE_NVML_HANG");
    while (hang && access(hang, F_OK) == 0) sleep(1);
    return 0;
}

int nvmlInit_v2(void) { return begin(); }
int nvmlInitWithFlags(unsigned int flags) { return (void)flags, begin(); }
int nvmlShutdown(void) { return 0; }
const char *nvmlErrorString(int code) { return (void)code, "a fake's error"; }
int nvmlDeviceGetCount_v2(unsigned int *count) { return *count = 1, 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned int index, void **device) { return *device = (void *)(size_t)(index + 1), 0; }
int nvmlDeviceGetUUID(void *device, char *uuid, unsigned int length) { return (void)device, strncpy(uuid, "GPU-fake", length), 0; }
int nvmlDeviceGetName(void *device, char *name, unsigned int length) { return (void)device, strncpy(name, "a fake", length), 0; }
int nvmlDeviceGetTemperature(void *device, int sensor, unsigned int *celsius) { return (void)device, (void)sensor, *celsius = 61, 0; }
int nvmlDeviceGetPowerUsage(void *device, unsigned int *milliwatts) { return (void)device, *milliwatts = 318500, 0; }
int nvmlDeviceGetTotalEnergyConsumption(void *device, unsigned long long *millijoules) { return (void)device, *millijoules = 5000, 0; }

int nvmlDeviceGetMemoryInfo_v2(void *device, memory_t *memory) {
    (void)device;
    memory->total = 24ull << 30;
    memory->used = foreign();
    memory->free = memory->total - memory->used;
    return 0;
}

int nvmlDeviceGetComputeRunningProcesses_v3(void *device, unsigned int *count, process_t *processes) {
    (void)device;
    unsigned int room = *count, found = foreign() > 0;
    *count = found;
    if (room < found) return 7; /* insufficient size */
    if (found) processes[0] = (process_t){.pid = 1, .used = foreign()};
    return 0;
}
