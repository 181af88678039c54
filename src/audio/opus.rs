//! Opus in Ogg (RFC 7845), in small pages so that the first sound leaves at once.

use std::mem;

use ogg::{PacketWriteEndInfo, PacketWriter};
use opusic_c::{Application, Bitrate, Channels, SampleRate, Signal};

use crate::{AudioError, Resampler, to_f32};

/// Opus counts time in samples of 48 kHz whatever is encoded.
const CLOCK: u64 = 48_000;
/// Milliseconds a packet.
const PACKET_MS: u64 = 20;
/// Packets a page once the sound has begun: 200 ms cost under 1 % of overhead.
const PACKETS_A_PAGE: u64 = 10;
/// The first pages carry one packet each.
const SHORT_PAGES: u64 = 3;
const LARGEST_PACKET: usize = 1_276;
const SERIAL: u32 = 0x4c45_4354;

pub(crate) struct Opus {
    encoder: opusic_c::Encoder,
    resampler: Resampler,
    pages: PacketWriter<'static, Vec<u8>>,
    /// Samples that do not fill a packet yet.
    waiting: Vec<f32>,
    /// A packet is written when the next is there, so that the last can carry the end mark.
    held: Option<(Vec<u8>, u64)>,
    rate: u32,
    pre_skip: u64,
    input: u64,
    packets: u64,
}

impl Opus {
    pub(crate) fn new(rate: u32) -> Result<Self, AudioError> {
        let (target, opus_rate) =
            if rate <= 24_000 { (24_000, SampleRate::Hz24000) } else { (48_000, SampleRate::Hz48000) };
        let mut encoder =
            opusic_c::Encoder::new(Channels::Mono, opus_rate, Application::Audio).map_err(failed)?;
        encoder.set_bitrate(Bitrate::Value(32_000)).map_err(failed)?;
        encoder.set_signal(Signal::Voice).map_err(failed)?;
        encoder.set_complexity(5).map_err(failed)?;
        let look_ahead = u64::from(encoder.get_look_ahead().map_err(failed)?);
        let pre_skip = look_ahead * CLOCK / u64::from(target);
        let mut opus = Self {
            encoder,
            resampler: Resampler::new(rate, target)?,
            pages: PacketWriter::new(Vec::new()),
            waiting: Vec::new(),
            held: None,
            rate: target,
            pre_skip,
            input: 0,
            packets: 0,
        };
        opus.heads(rate)?;
        Ok(opus)
    }

    fn heads(&mut self, rate: u32) -> Result<(), AudioError> {
        let mut head = b"OpusHead\x01\x01".to_vec();
        head.extend((self.pre_skip as u16).to_le_bytes());
        head.extend(rate.to_le_bytes());
        head.extend([0, 0, 0]); // gain, mapping family
        let mut tags = b"OpusTags".to_vec();
        tags.extend(7_u32.to_le_bytes());
        tags.extend(b"Lectern");
        tags.extend(0_u32.to_le_bytes());
        for packet in [head, tags] {
            self.pages
                .write_packet(packet, SERIAL, PacketWriteEndInfo::EndPage, 0)
                .map_err(AudioError::Io)?;
        }
        Ok(())
    }

    pub(crate) fn push(&mut self, samples: &[i16]) -> Result<Vec<u8>, AudioError> {
        let samples = self.resampler.push(&to_f32(samples))?;
        self.input += samples.len() as u64;
        self.waiting.extend(samples);
        self.packets()?;
        Ok(mem::take(self.pages.inner_mut()))
    }

    pub(crate) fn finish(&mut self) -> Result<Vec<u8>, AudioError> {
        let rest = self.resampler.finish()?;
        self.input += rest.len() as u64;
        self.waiting.extend(rest);
        // The decoder starts late by the look-ahead: that much silence brings the last samples out.
        let scale = CLOCK / u64::from(self.rate);
        let packet = self.packet_samples() as u64;
        let due = (self.input + self.pre_skip / scale).div_ceil(packet) * packet;
        let missing = due.saturating_sub(self.packets * packet) as usize;
        self.waiting.resize(missing.max(self.waiting.len()), 0.0);
        self.packets()?;
        if let Some((packet, _)) = self.held.take() {
            let end = self.pre_skip + self.input * scale;
            self.pages
                .write_packet(packet, SERIAL, PacketWriteEndInfo::EndStream, end)
                .map_err(AudioError::Io)?;
        }
        Ok(mem::take(self.pages.inner_mut()))
    }

    fn packet_samples(&self) -> usize {
        (u64::from(self.rate) * PACKET_MS / 1_000) as usize
    }

    fn packets(&mut self) -> Result<(), AudioError> {
        let length = self.packet_samples();
        let mut at = 0;
        while self.waiting.len() - at >= length {
            let mut packet = vec![0; LARGEST_PACKET];
            let size = self
                .encoder
                .encode_float_to_slice(&self.waiting[at..at + length], &mut packet)
                .map_err(failed)?;
            packet.truncate(size);
            at += length;
            self.packets += 1;
            self.hold(packet)?;
        }
        self.waiting.drain(..at);
        Ok(())
    }

    fn hold(&mut self, packet: Vec<u8>) -> Result<(), AudioError> {
        let clock = self.packets * PACKET_MS * CLOCK / 1_000;
        let Some((before, end)) = self.held.replace((packet, clock)) else { return Ok(()) };
        let number = self.packets - 1;
        let page_ends = number <= SHORT_PAGES || number.is_multiple_of(PACKETS_A_PAGE);
        let info = if page_ends { PacketWriteEndInfo::EndPage } else { PacketWriteEndInfo::NormalPacket };
        self.pages.write_packet(before, SERIAL, info, end).map_err(AudioError::Io)
    }
}

fn failed(error: opusic_c::ErrorCode) -> AudioError {
    AudioError::Encode(format!("Opus: {}", error.message()))
}
