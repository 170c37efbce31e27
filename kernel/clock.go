package kernel

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// ClockError is how far the machine's clock may be off, as the kernel estimates it, and
// whether something keeps it in step with others.
// Source: adjtimex(2).
func ClockError() (bound time.Duration, synchronized bool, err error) {
	var t unix.Timex
	if _, err := unix.Adjtimex(&t); err != nil {
		return 0, false, fmt.Errorf("state of the clock: %w", err)
	}
	return time.Duration(t.Maxerror) * time.Microsecond, t.Status&unix.STA_UNSYNC == 0, nil
}
