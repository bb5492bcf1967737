//! The process that asks the library: a line with a question, a line with the answer, until the questions end.

use std::{
    ffi::OsStr,
    io::{self, BufRead, Write},
};

use nvml_wrapper::{
    Nvml, enum_wrappers::device::TemperatureSensor, enums::device::UsedGpuMemory, error::NvmlError,
};

use super::report::{Answer, Gpu, Question};

/// The library's name where only the driver is installed, without development files.
const LIBRARY: &str = "libnvidia-ml.so.1";

/// Answers what the daemon asks of the GPUs.
pub fn report(questions: impl BufRead, mut answers: impl Write) -> io::Result<()> {
    let nvml = Nvml::builder()
        .lib_path(OsStr::new(LIBRARY))
        .init()
        .or_else(|_| Nvml::init());
    for question in questions.lines() {
        let Question { ours } = serde_json::from_str(&question?)?;
        let answer = match &nvml {
            Ok(nvml) => Answer::Gpus(look(nvml, ours.as_deref())),
            Err(error) => Answer::NoLibrary(error.to_string()),
        };
        writeln!(answers, "{}", serde_json::to_string(&answer)?)?;
        answers.flush()?;
    }
    Ok(())
}

fn look(nvml: &Nvml, ours: Option<&[u32]>) -> Vec<Gpu> {
    let count = nvml.device_count().unwrap_or_default();
    // One that fails, as a GPU that fell off the bus does, leaves the others.
    (0..count)
        .filter_map(|index| look_at(nvml, index, ours).ok())
        .collect()
}

fn look_at(nvml: &Nvml, index: u32, ours: Option<&[u32]>) -> Result<Gpu, NvmlError> {
    let device = nvml.device_by_index(index)?;
    let memory = device.memory_info()?;
    let held = |pids: &[u32]| -> Option<u64> {
        let processes = device.running_compute_processes().ok()?;
        let others = processes
            .iter()
            .filter(|process| !pids.contains(&process.pid));
        others
            .map(|process| match process.used_gpu_memory {
                UsedGpuMemory::Used(bytes) => Some(bytes),
                UsedGpuMemory::Unavailable => None,
            })
            .sum()
    };
    Ok(Gpu {
        index,
        uuid: device.uuid()?,
        name: device.name()?,
        total_bytes: memory.total,
        used_bytes: memory.used,
        foreign_bytes: ours.and_then(held),
        temperature_celsius: device
            .temperature(TemperatureSensor::Gpu)
            .ok()
            .map(f64::from),
        power_watts: device
            .power_usage()
            .ok()
            .map(|milliwatts| f64::from(milliwatts) / 1e3),
        energy_joules: device
            .total_energy_consumption()
            .ok()
            .map(|millijoules| millijoules as f64 / 1e3),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_question_has_an_answer() {
        let mut answers = Vec::new();
        report(&b"{\"ours\":[1]}\n{\"ours\":null}\n"[..], &mut answers).unwrap();
        let answers = String::from_utf8(answers).unwrap();
        let answers: Vec<Answer> = answers
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(answers.len(), 2);
        let has_library = matches!(answers[0], Answer::Gpus(_));
        assert_eq!(has_library, matches!(answers[1], Answer::Gpus(_)));
    }
}
