# Read by the build of eSpeak NG (crate espeak-rs-sys), named in .cargo/config.toml.
# Only what Lectern needs of it is built: text to samples, one call at a time, in memory.

# Faster speech than 450 words a minute is all that libsonic adds. Naming it as
# found keeps the build from cloning it from the network; OFF leaves it out.
set(SONIC_LIB "left-out" CACHE STRING "" FORCE)
set(SONIC_INC "left-out" CACHE STRING "" FORCE)
set(USE_LIBSONIC OFF CACHE BOOL "" FORCE)

# No sound card, no player threads, no external voices.
set(USE_LIBPCAUDIO OFF CACHE BOOL "" FORCE)
set(USE_ASYNC OFF CACHE BOOL "" FORCE)
set(USE_MBROLA OFF CACHE BOOL "" FORCE)
set(ESPEAK_BUILD_MANPAGES OFF CACHE BOOL "" FORCE)

# A static program has no run path to set.
set(CMAKE_SKIP_RPATH ON CACHE BOOL "" FORCE)
set(CMAKE_SKIP_INSTALL_RPATH ON CACHE BOOL "" FORCE)

# The folder of the voice data may have a long name; 160 bytes is the default.
add_compile_definitions(N_PATH_HOME=1024)
