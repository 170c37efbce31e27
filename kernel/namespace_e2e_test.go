//go:build e2e

package kernel

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Whatever is done in other namespaces, no thread that goes on stays there, the
// main thread least of all.
func TestThreadsReturnToTheirNamespace(t *testing.T) {
	n := newTestNetwork(t, "a040")
	apply(t, n, before)
	home, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			if err := onNewThread(func() error { return unix.Unshare(unix.CLONE_NEWNET) }); err != nil {
				t.Error(err)
			}
		})
		all.Go(func() {
			err := n.inside("eni-vpc-1-11", func() error {
				if here, err := os.Readlink("/proc/thread-self/ns/net"); err != nil || here == home {
					t.Errorf("inside is %s: %v", here, err)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for deadline := time.Now().Add(longer); ; { // threads end a moment after their work
		astray := threadsNotIn(t, home)
		if len(astray) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("home is %s, but %v", home, astray)
		}
	}
}

func threadsNotIn(t *testing.T, home string) map[string]string {
	t.Helper()
	tasks, err := filepath.Glob("/proc/self/task/*/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, task := range tasks {
		if is, err := os.Readlink(task); err == nil && is != home {
			out[task] = is
		}
	}
	return out
}
