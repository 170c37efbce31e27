package main

import "testing"

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		name   string
		checks []check
		budget string
		met    string
	}{
		{"no budget", nil, "", ""},
		{"at the bound", []check{{atMost(100, "ms"), 100}}, "≤ 100 ms", "yes"},
		{"above", []check{{atMost(100, "ms"), 100.1}}, "≤ 100 ms", "no"},
		{"at a strict bound", []check{{below(1, "% of a core"), 1}}, "< 1 % of a core", "no"},
		{"enough", []check{{atLeast(20_000, "requests/s"), 20_000}}, "≥ 20000 requests/s", "yes"},
		{"too few", []check{{atLeast(20, "tasks/s"), 19.9}}, "≥ 20 tasks/s", "no"},
		{"both", []check{{balancerRate, 1.02}, {balancerLatency, 0.97}}, "≥ 1 × nginx; ≤ 1 × nginx's p99", "yes"},
		{"only the first", []check{{balancerRate, 1.02}, {balancerLatency, 1.01}}, "≥ 1 × nginx; ≤ 1 × nginx's p99", "no"},
		{"only the second", []check{{balancerRate, 0.99}, {balancerLatency, 0.97}}, "≥ 1 × nginx; ≤ 1 × nginx's p99", "no"},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := row{What: "it", Budget: c.budget, Measured: "so much", Met: c.met}
			if got := judge("it", "so much", c.checks...); got != want {
				t.Errorf("judge = %+v, want %+v", got, want)
			}
		})
	}
}
