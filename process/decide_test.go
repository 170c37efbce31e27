package process

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestDecide(t *testing.T) {
	for name, c := range map[string]struct {
		found *Process
		want  action
	}{
		"none runs":                  {nil, startNew},
		"the same build runs":        {&Process{Build: "one"}, adoptFound},
		"another build runs":         {&Process{Build: "two"}, replaceFound},
		"one runs that says nothing": {&Process{}, replaceFound},
	} {
		if got := decide(c.found, "one"); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// The first restart is at once, each that follows a short life waits longer, up to a
// bound, and a process that lived long begins anew.
func TestBackoff(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b backoff
		var last time.Duration
		for i, lived := range rapid.SliceOfN(rapid.Int64Range(0, int64(2*steadyAfter)), 1, 40).Draw(t, "lives") {
			delay := b.next(time.Duration(lived))
			switch steady := time.Duration(lived) > steadyAfter; {
			case (i == 0 || steady) && delay != 0:
				t.Fatalf("restart %d waits %v", i, delay)
			case i > 0 && !steady && delay != min(max(2*last, firstRestartDelay), lastRestartDelay):
				t.Fatalf("restart %d waits %v after %v", i, delay, last)
			}
			last = delay
		}
	})
}

func TestNextNumberIsAboveAll(t *testing.T) {
	if n := nextNumber(nil); n != 0 {
		t.Errorf("the first is %d", n)
	}
	if n := nextNumber([]uint64{7, 3}); n != 8 {
		t.Errorf("after 7 and 3 comes %d", n)
	}
}
