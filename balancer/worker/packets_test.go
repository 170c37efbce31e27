package worker

import (
	"errors"
	"testing"
	"time"

	"fargo/balancer/metrics"
	"fargo/desired"
)

// Packets are those of the interfaces of network load balancers; the peak is the highest
// rate of a window since it was told last.
func TestPackets(t *testing.T) {
	received := map[string]uint64{"eni-1": 1000, "eni-2": 0}
	p := packets{received: func(id string) (uint64, error) {
		n, ok := received[id]
		if !ok {
			return 0, errors.New("there is no such interface")
		}
		return n, nil
	}}
	two := []desired.Interface{{ID: "eni-1"}, {ID: "eni-gone"}}
	balancers := []desired.Balancer{
		{ARN: "net", Network: true, Interfaces: two, Zones: []string{"a", "b"}},
		{ARN: "app", Interfaces: []desired.Interface{{ID: "eni-2"}}, Zones: []string{"a"}},
	}
	now := time.Unix(0, 0)
	turn := func(more uint64) {
		received["eni-1"] += more
		now = now.Add(peakEvery)
		p.turn(balancers, now)
	}
	var kept metrics.Snapshot
	measured := func(packets, peak float64) {
		t.Helper()
		s := metrics.Snapshot{interfaces: p.counted(balancers)}
		all := s.Since(kept)
		kept = s
		if len(all) != 1 || all[0].Balancer != "net" || all[0].Zone != "a" || all[0].Counts["ProcessedPackets"] != packets || all[0].Gauges["PeakPacketsPerSecond"] != peak {
			t.Errorf("%+v, want %v and %v", all, packets, peak)
		}
	}
	measured(1000, 0) // nobody has measured them before
	turn(0)
	turn(500)
	turn(100)
	measured(600, 50)
	measured(0, 0)
	received["eni-1"] = 30 // it is another interface
	turn(0)
	measured(30, 0)
}
