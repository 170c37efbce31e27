package kernel

import (
	"testing"

	"golang.org/x/sys/unix"
)

// What is said to be possible is, and what is not is refused by the kernel too.
func TestUlimitsAreWhatTheKernelGives(t *testing.T) {
	var own unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &own); err != nil {
		t.Fatal(err)
	}
	if err := TryUlimit("nofile", int64(own.Max)); err != nil {
		t.Errorf("our own: %v", err)
	}
	for _, hard := range []int64{int64(own.Max) + 1, 1 << 31, -1} {
		err := TryUlimit("nofile", hard)
		raised := own
		raised.Max = uint64(hard) // -1 is RLIM_INFINITY
		if refused := unix.Setrlimit(unix.RLIMIT_NOFILE, &raised); (refused == nil) != (err == nil) {
			t.Errorf("%d: we say %v, the kernel %v", hard, err, refused)
		}
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &own); err != nil {
			t.Fatal(err)
		}
	}
	for name := range resources {
		if err := TryUlimit(name, 0); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if TryUlimit("nonesuch", 0) == nil {
		t.Error("a limit that does not exist")
	}
}
