# patchtide:reboot
# shellcheck shell=sh
# Reboots the machine once: by the agent, which runs this script again after the boot. One that has booted since it was
# asked is left alone, whoever rebooted it, so that a command that was sent twice or comes late does nothing.
asked='BOOT_ID'
boot=
read -r boot </proc/sys/kernel/random/boot_id
if [ -z "$boot" ]; then
  echo "patchtide: /proc/sys/kernel/random/boot_id tells no boot id, so that no reboot could be proven" >&2
  exit 1
fi
if [ "$boot" != "$asked" ]; then
  echo "patchtide: booted $boot"
  exit 0
fi
exit 194
