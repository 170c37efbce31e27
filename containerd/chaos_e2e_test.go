//go:build e2e

package containerd_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Containers that are made, started and removed while containerd is killed again
// and again are made, started and removed.
func TestContainerdIsKilledWhileContainersAreMade(t *testing.T) {
	const workers, rounds, kills = 6, 4, 7
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	var busy sync.WaitGroup
	var made atomic.Int64
	for w := range workers {
		busy.Go(func() {
			for n := range rounds {
				s := specOf(t, fmt.Sprintf("chaos-%d-%d", w, n), "idle")
				if err := tests.runtime.Create(ctx, s); err != nil {
					t.Errorf("create %s: %v", s.ID, err)
				} else if err := tests.runtime.Start(ctx, s.ID); err != nil {
					t.Errorf("start %s: %v", s.ID, err)
				} else {
					ready(t, s, "ready")
				}
				if err := tests.runtime.Remove(ctx, s.ID); err != nil {
					t.Errorf("remove %s: %v", s.ID, err)
				}
				made.Add(1)
			}
		})
	}
	done := make(chan struct{})
	go func() { busy.Wait(); close(done) }()
	for n := range kills {
		// As the work goes on, wherever that is.
		for made.Load() < int64(n*workers*rounds/kills/2) && ctx.Err() == nil {
			select {
			case <-done:
			case <-time.After(time.Millisecond):
			}
		}
		killDaemon(t)
	}
	<-done
	nothingLeft(t)
	onlyReadyShims(t)
	if left, err := filepath.Glob(filepath.Join(tests.daemon.StateDir, "io.containerd.runtime.v2.task", "test", "*")); err != nil || len(left) > 0 {
		t.Errorf("bundles are left: %v, %v", left, err)
	}
}
