package main

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestWorkloadRounds puts fake proxies under load, on a machine where that takes
// its time, and on one that is ten times as slow.
func TestWorkloadRounds(t *testing.T) {
	for _, c := range []struct {
		name  string
		takes time.Duration
		want  int
	}{
		{"in time", roundTime, 31},
		{"on a busy machine", 10 * roundTime, 8},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := workload{rounds: 31}
				ctx, cancel := context.WithTimeout(t.Context(), 36*2*roundLimit)
				defer cancel()
				results, err := w.measure(ctx, []*proxy{{name: "Fargo"}, {name: "nginx"}}, func(ctx context.Context, p *proxy) (round, error) {
					return round{rate: float64(len(p.name))}, pause(ctx, c.takes)
				})
				if err != nil {
					t.Fatal(err)
				}
				for i, name := range []string{"Fargo", "nginx"} {
					if len(results[i]) != c.want || results[i][0].rate != float64(len(name)) {
						t.Errorf("%s: %d rounds of %v, want %d", name, len(results[i]), results[i][0], c.want)
					}
				}
			})
		})
	}
}

func TestWorkloadNamesTheProxyThatFails(t *testing.T) {
	w := workload{rounds: 3}
	_, err := w.measure(t.Context(), []*proxy{{name: "Fargo"}, {name: "nginx"}}, func(_ context.Context, p *proxy) (round, error) {
		if p.name == "nginx" {
			return round{}, errors.New("refused")
		}
		return round{}, nil
	})
	checkError(t, err, "nginx: refused")
}
