//! Samples without a header: 16 bit, little endian, channels in turn.

use std::io::Read;

use crate::AudioError;

const FRAMES: usize = 4_096;

pub(crate) struct Raw {
    source: Box<dyn Read + Send>,
    channels: u16,
    /// The start of a frame whose end has not come.
    rest: Vec<u8>,
}

impl Raw {
    pub(crate) fn new(source: impl Read + Send + 'static, channels: u16) -> Self {
        Self { source: Box::new(source), channels, rest: Vec::new() }
    }

    /// Channels in turn; `None` at the end. A last half frame is dropped.
    pub(crate) fn read(&mut self) -> Result<Option<Vec<f32>>, AudioError> {
        let frame = usize::from(self.channels) * 2;
        let mut buffer = std::mem::take(&mut self.rest);
        let start = buffer.len();
        buffer.resize(FRAMES * frame, 0);
        let mut filled = start;
        while filled < frame.max(start + 1) {
            match self.source.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(AudioError::Io(error)),
            }
        }
        let whole = filled / frame * frame;
        if whole == 0 {
            return Ok(None);
        }
        self.rest = buffer[whole..filled].to_vec();
        let samples = buffer[..whole]
            .chunks_exact(2)
            .map(|pair| f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 32_768.0)
            .collect();
        Ok(Some(samples))
    }
}
