package kernel

import (
	"regexp"
	"testing"
)

// What the machine is, anybody may ask.
func TestMachine(t *testing.T) {
	cpu, memory, err := Capacity()
	if err != nil || cpu < 1024 || cpu%1024 != 0 || memory < 64 {
		t.Errorf("%d CPU units, %d MiB: %v", cpu, memory, err)
	}
	id, err := BootID()
	if again, _ := BootID(); err != nil || id != again || !regexp.MustCompile(`^[0-9a-f-]{36}$`).MatchString(id) {
		t.Errorf("this boot is %q and %q: %v", id, again, err)
	}
	if a := MachineAddress(); a.IsValid() && (!a.Is4() || a.IsLoopback() || a.IsUnspecified()) {
		t.Errorf("others reach it at %s", a)
	}
}
