package kernel

import (
	"io/fs"
	"strings"
	"testing"
)

// A machine as Debian's kernel boots it, without systemd's settings.
var freshMachine = map[string]int64{
	"kernel.pid_max": 32768, "kernel.threads-max": 192730, "fs.file-max": 2442046, "fs.nr_open": 1048576,
	"fs.inotify.max_user_instances": 128, "fs.inotify.max_user_watches": 190000, "fs.aio-max-nr": 65536,
	"kernel.pty.max": 4096, "vm.max_map_count": 65530,
	"net.ipv4.neigh.default.gc_thresh3": 1024, "net.ipv4.neigh.default.gc_thresh2": 512,
}

func reader(machine map[string]int64) func(string) (int64, error) {
	return func(key string) (int64, error) {
		if n, ok := machine[key]; ok {
			return n, nil
		}
		return 0, fs.ErrNotExist
	}
}

// A limit that is too low is reported with its value and the command that raises it.
func TestLowLimitsAreReported(t *testing.T) {
	var low []string
	for _, l := range lowLimits(reader(freshMachine)) {
		low = append(low, l.Why+" → "+l.Fix)
	}
	const keep = ", and the same in /etc/sysctl.d to keep it"
	want := []string{
		"kernel.pid_max is 32768 → sysctl -w kernel.pid_max=4194304" + keep,
		"fs.inotify.max_user_instances is 128 → sysctl -w fs.inotify.max_user_instances=8000" + keep,
		"fs.inotify.max_user_watches is 190000 → sysctl -w fs.inotify.max_user_watches=1024000" + keep,
		"fs.aio-max-nr is 65536 → sysctl -w fs.aio-max-nr=1048576" + keep,
		"vm.max_map_count is 65530 → sysctl -w vm.max_map_count=1048576" + keep,
		"net.ipv4.neigh.default.gc_thresh3 is 1024 → sysctl -w net.ipv4.neigh.default.gc_thresh3=16000" + keep,
		"net.ipv4.neigh.default.gc_thresh2 is 512 → sysctl -w net.ipv4.neigh.default.gc_thresh2=8000" + keep,
	}
	if got := strings.Join(low, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}

// The values that are suggested are enough.
func TestRaisedLimitsAreEnough(t *testing.T) {
	raised := map[string]int64{}
	for _, b := range sharedLimits {
		raised[b.key] = b.set
	}
	if problems := lowLimits(reader(raised)); len(problems) > 0 {
		t.Errorf("%+v", problems)
	}
}
