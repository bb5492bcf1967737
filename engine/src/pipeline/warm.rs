//! What the pipeline holds between jobs: loaded before the first one, given up, and counted.

use framepack_ipc::worker::{HeldMemory, RenderRequest, Temperature};

use super::Pipeline;
use crate::{
    bundle::EncoderFiles, device, error::Error, job::Job, plan::Ladder, weights::Fingerprint,
};

impl Pipeline {
    /// Loads what a job needs and what stays loaded after one. Its image is not looked at. When it fails, no model is left.
    pub fn warm(&mut self, request: &RenderRequest) -> Result<(), Error> {
        let outcome = device::catch(|| self.load(request));
        if outcome.is_err() {
            self.models.clear();
        }
        outcome
    }

    fn load(&mut self, request: &RenderRequest) -> Result<(), Error> {
        let _no_grad = tch::no_grad_guard();
        let job = Job::with_blank_picture(request)?;
        self.models.begin(&job);
        self.sizes.read_again();
        self.models.plan_with(self.sizes.factors());
        self.models.place(&job, Ladder::at(0, 0).relief())?;
        let files = EncoderFiles::of(&job.bundle)?;
        self.models.select(&job.bundle, files);
        let transformer = Fingerprint::of_folders([job.transformer.as_path()])?;
        self.models.select_transformer(transformer);
        self.models.load_all(&job.bundle, &job.transformer)
    }

    /// Gives up models and their memory.
    pub fn cool(&mut self, temperature: Temperature) {
        match temperature {
            Temperature::Hot => {}
            Temperature::Warm => self.models.leave_device(),
            Temperature::Cold => self.models.clear(),
        }
    }

    /// What is left of the device's memory for whoever asks first, and what the process has of the host's.
    pub fn held_memory(&self) -> HeldMemory {
        let device = self.platform.device;
        let driver = device::driver_stats(device).map(|driver| driver.free_bytes);
        // On the CPU the host is the device.
        let host = || device::host_available_bytes().filter(|_| !device.is_cuda());
        HeldMemory {
            device_free_bytes: driver.or_else(host),
            host_bytes: device::host_resident_bytes(),
        }
    }
}
