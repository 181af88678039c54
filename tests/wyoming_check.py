"""A Wyoming server as the protocol's own package sees it. Use: wyoming_check.py PORT [WAV]

Needs the package `wyoming`. Prints one line a check and ends with 1 when one fails.
"""

import asyncio
import sys
import wave

from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.error import Error
from wyoming.info import Describe, Info
from wyoming.ping import Ping, Pong
from wyoming.tts import (
    Synthesize,
    SynthesizeChunk,
    SynthesizeStart,
    SynthesizeStop,
    SynthesizeStopped,
    SynthesizeVoice,
)


async def next_event(client):
    event = await asyncio.wait_for(client.read_event(), 60)
    assert event is not None, "the connection ended"
    return event


async def hear(client, until):
    """Audio up to the event that ends it: (seconds, bytes)."""
    started, audio, rate = False, b"", 0
    while True:
        event = await next_event(client)
        if AudioStart.is_type(event.type):
            assert not started, "sound begins once"
            started, rate = True, AudioStart.from_event(event).rate
        elif AudioChunk.is_type(event.type):
            assert started
            audio += AudioChunk.from_event(event).audio
        elif event.type == until:
            break
        elif not AudioStop.is_type(event.type):
            raise AssertionError(f"unexpected {event.type}: {event.data}")
    return len(audio) / 2 / max(rate, 1), audio


async def check_info(client):
    await client.write_event(Describe().event())
    info = Info.from_event(await next_event(client))
    assert info.asr and info.asr[0].models and "en" in " ".join(info.asr[0].models[0].languages)
    voices = [voice.name for program in info.tts for voice in program.voices]
    assert "en-us" in voices and all(program.supports_synthesize_streaming for program in info.tts)
    return f"{len(voices)} voices, recogniser {info.asr[0].models[0].name}"


async def check_ping(client):
    await client.write_event(Ping(text="x").event())
    assert Pong.from_event(await next_event(client)).text == "x"


async def check_speech(client):
    request = Synthesize("The canteen opens at half past eleven.", voice=SynthesizeVoice(name="en-us"))
    await client.write_event(request.event())
    seconds, audio = await hear(client, "audio-stop")
    assert 1 < seconds < 10 and any(audio), seconds
    return f"{seconds:.1f} s"


async def check_pieces(client):
    text = "The first sentence is here. The second one follows. And the third"
    await client.write_event(SynthesizeStart(voice=SynthesizeVoice(language="en")).event())
    for at in range(0, len(text), 7):
        await client.write_event(SynthesizeChunk(text[at : at + 7]).event())
    # For servers that take texts whole only; it must not be spoken twice.
    await client.write_event(Synthesize(text, voice=SynthesizeVoice(language="en")).event())
    await client.write_event(SynthesizeStop().event())
    seconds, _ = await hear(client, SynthesizeStopped().event().type)
    assert 2 < seconds < 9, seconds
    return f"{seconds:.1f} s"


async def check_error(client):
    await client.write_event(Synthesize("Hello", voice=SynthesizeVoice(name="nobody")).event())
    event = await next_event(client)
    assert Error.is_type(event.type) and Error.from_event(event).text, event


async def check_hearing(client, path):
    with wave.open(path) as sound:
        rate, width, channels = sound.getframerate(), sound.getsampwidth(), sound.getnchannels()
        frames = sound.readframes(sound.getnframes())
    await client.write_event(Transcribe(language="en").event())
    await client.write_event(AudioStart(rate, width, channels).event())
    for at in range(0, len(frames), 2048):
        await client.write_event(AudioChunk(rate, width, channels, frames[at : at + 2048]).event())
    await client.write_event(AudioStop().event())
    text = Transcript.from_event(await next_event(client)).text
    assert text.strip(), "nothing was heard"
    return repr(text)


async def check_silence(client):
    await client.write_event(Transcribe(language="en").event())
    await client.write_event(AudioStart(16000, 2, 1).event())
    for _ in range(30):
        await client.write_event(AudioChunk(16000, 2, 1, bytes(3200)).event())
    await client.write_event(AudioStop().event())
    assert Transcript.from_event(await next_event(client)).text == ""


async def main():
    checks = [check_info, check_ping, check_speech, check_pieces, check_error, check_silence]
    async with AsyncTcpClient("127.0.0.1", int(sys.argv[1])) as client:
        for check in checks:
            print(f"ok {check.__name__} {await check(client) or ''}".rstrip(), flush=True)
        if len(sys.argv) > 2:
            print(f"ok check_hearing {await check_hearing(client, sys.argv[2])}", flush=True)


asyncio.run(main())
