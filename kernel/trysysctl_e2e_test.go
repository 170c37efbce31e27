//go:build e2e

package kernel

import (
	"os"
	"strings"
	"testing"
)

// The kernel itself says whether a task can have a setting, and the machine's own
// stays as it is.
func TestSysctlsAreTriedElsewhere(t *testing.T) {
	for _, test := range []struct{ name, value, want string }{
		{"net.core.somaxconn", "1234", ""},
		{"net.ipv4.ip_local_port_range", "2000 3000", ""},
		{"net.ipv4.conf.eth0.rp_filter", "2", ""},
		{"kernel.shmmax", "123456789", ""},
		{"kernel.sem", "250 32000 100 128", ""},
		{"fs.mqueue.msg_max", "20", ""},
		{"net.core.nonesuch", "1", "a task has no such setting"},
		{"net.ipv4.conf.eth9.rp_filter", "1", "a task has no such setting"},
		{"net.core.somaxconn", "many", "it is no value for that"},
		{"net.core.somaxconn", "-1", "it is no value for that"},
		{"kernel.core_pattern", "core", "it is the machine's, not a task's"},
		{"net/../kernel/core_pattern", "core", "it is the machine's, not a task's"},
		{"vm.swappiness", "1", "it is the machine's, not a task's"},
	} {
		path := "/proc/sys/" + strings.ReplaceAll(test.name, ".", "/")
		before, _ := os.ReadFile(path)
		got := ""
		if err := TrySysctl(test.name, test.value); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s=%s: %q, want %q", test.name, test.value, got, test.want)
		}
		if after, _ := os.ReadFile(path); string(after) != string(before) {
			t.Errorf("%s of the machine is %q now", test.name, after)
		}
	}
}
