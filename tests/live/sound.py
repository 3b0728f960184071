"""Tones in WAV files: made, and measured by other means than the phone has."""
import array
import cmath
import math
import wave

LEVEL_DBOV = -10


def make_tone(path, hz, rate=8000, channels=1, seconds=20):
    """A sine at LEVEL_DBOV on the first channel; any other is silent."""
    peak = 32768 * math.sqrt(2) * 10 ** (LEVEL_DBOV / 20)
    samples = array.array("h", [0]) * (rate * seconds * channels)
    for i in range(rate * seconds):
        samples[i * channels] = round(peak * math.sin(2 * math.pi * hz * i / rate))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())


def measure(path):
    """(Hz, dBov) of a second of the file's first channel, half a second after it begins to be loud:
    a sine goes through zero twice a period."""
    with wave.open(str(path)) as file:
        rate, channels = file.getframerate(), file.getnchannels()
        samples = array.array("h", file.readframes(file.getnframes()))[::channels]
    begin = next((i for i, sample in enumerate(samples) if abs(sample) > 1000), 0) + rate // 2
    second = samples[begin:begin + rate]
    assert len(second) == rate, f"{path} has no second of sound behind {begin} of {len(samples)}"
    crossings = sum((a < 0) != (b < 0) for a, b in zip(second, second[1:]))
    power = sum(sample * sample for sample in second) / rate
    return crossings / 2, 10 * math.log10(max(power, 1) / 32768 ** 2)


def share(path, hz):
    """How much of the power in the file's first channel is at |hz|, looked at in tenths of a
    second, so that a gap costs no more than that; 1 for a sine and silence."""
    with wave.open(str(path)) as file:
        rate, channels = file.getframerate(), file.getnchannels()
        samples = array.array("h", file.readframes(file.getnframes()))[::channels]
    size, found, power = rate // 10, 0, 0
    waves = [cmath.exp(-2j * math.pi * hz * i / rate) for i in range(size)]
    for begin in range(0, len(samples) - size + 1, size):
        part = samples[begin:begin + size]
        found += 2 * abs(sum(a * b for a, b in zip(part, waves))) ** 2 / size
        power += sum(sample * sample for sample in part)
    assert power > size * 1000, f"{path} is silent"
    return found / power
