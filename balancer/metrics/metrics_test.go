package metrics

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/netip"
	"reflect"
	"slices"
	"syscall"
	"testing"
	"time"

	"fargo/balancer/exchange"
	"fargo/balancer/http1"
	"fargo/balancer/routing"
	"fargo/desired"
)

// The middle of a bucket is within 2 % of every time in it, and a longer time is in no
// earlier bucket.
func TestBucketsAreNarrow(t *testing.T) {
	last := 0
	for d := time.Duration(1 << shortestLog); d < 4000*time.Second; d += d/97 + 1 {
		b := bucketOf(d)
		if off := math.Abs(middleOf(b)-d.Seconds()) / d.Seconds(); off > 0.016 {
			t.Fatalf("%s: bucket %d is at %gs, %g off", d, b, middleOf(b), off)
		}
		if b < last || b >= buckets {
			t.Fatalf("%s: bucket %d after %d", d, b, last)
		}
		last = b
	}
	if bucketOf(-1) != 0 || bucketOf(1) != 0 || bucketOf(math.MaxInt64) != buckets-1 {
		t.Error("times without a bucket")
	}
}

var (
	key         = Key{Balancer: "lb", Zone: "a"}
	groupKey    = Key{Balancer: "lb", Group: "g", Zone: "a"}
	defaultRule = &routing.Rule{Priority: "default"}
)

// served is a request to which a target gave an answer with a status.
func served(status int) *exchange.Exchange {
	x := &exchange.Exchange{Rule: defaultRule, Evaluated: 1, TargetAddress: "192.0.2.1:80", TargetStatus: status, Status: status, Received: 10, Written: 20}
	x.Method, x.Client = "GET", netip.MustParseAddrPort("198.51.100.1:1234")
	x.SentAt = time.Unix(100, 0)
	x.ResponseAt = x.SentAt.Add(100 * time.Millisecond)
	return x
}

// own is a request that the load balancer has answered itself.
func own(status int, action routing.Action) *exchange.Exchange {
	x := served(0)
	x.Status, x.TargetAddress, x.Rule = status, "", &routing.Rule{Priority: "1", Action: action}
	return x
}

func TestRequestsAreCounted(t *testing.T) {
	with := func(x *exchange.Exchange, change func(*exchange.Exchange)) *exchange.Exchange {
		change(x)
		return x
	}
	for name, test := range map[string]struct {
		x    *exchange.Exchange
		want string // without ProcessedBytes
	}{
		"2xx":                       {served(201), "HTTPCode_Target_2XX_Count RequestCount"},
		"4xx":                       {served(404), "HTTPCode_Target_4XX_Count RequestCount"},
		"5xx":                       {served(503), "HTTPCode_Target_5XX_Count RequestCount"},
		"no answer":                 {with(served(0), func(x *exchange.Exchange) { x.Status = 504 }), "HTTPCode_ELB_504_Count HTTPCode_ELB_5XX_Count RequestCount"},
		"client gone":               {with(served(0), func(x *exchange.Exchange) { x.Status = 460 }), "HTTPCode_ELB_4XX_Count RequestCount"},
		"no target":                 {own(503, routing.Action{Forward: &routing.Forward{}}), "HTTPCode_ELB_503_Count HTTPCode_ELB_5XX_Count RuleEvaluations"},
		"redirect":                  {with(own(301, routing.Action{Redirect: &routing.Redirect{}}), func(x *exchange.Exchange) { x.Location = "/" }), "HTTPCode_ELB_3XX_Count HTTP_Redirect_Count RuleEvaluations"},
		"too long":                  {own(500, routing.Action{Redirect: &routing.Redirect{}}), "HTTPCode_ELB_500_Count HTTPCode_ELB_5XX_Count HTTP_Redirect_Url_Limit_Exceeded_Count RuleEvaluations"},
		"fixed":                     {own(200, routing.Action{Fixed: &routing.FixedResponse{}}), "HTTP_Fixed_Response_Count RuleEvaluations"},
		"fixed 503":                 {own(503, routing.Action{Fixed: &routing.FixedResponse{}}), "HTTPCode_ELB_503_Count HTTPCode_ELB_5XX_Count HTTP_Fixed_Response_Count RuleEvaluations"},
		"gRPC":                      {with(served(200), func(x *exchange.Exchange) { x.GRPC = true }), "GrpcRequestCount HTTPCode_Target_2XX_Count RequestCount"},
		"fails open":                {with(served(200), func(x *exchange.Exchange) { x.FailOpen = true }), "HTTPCode_Target_2XX_Count RequestCount UnhealthyRoutingRequestCount"},
		"new client":                {with(served(200), func(x *exchange.Exchange) { x.NonSticky = true }), "HTTPCode_Target_2XX_Count NonStickyRequestCount RequestCount"},
		"IPv6":                      {with(served(200), func(x *exchange.Exchange) { x.Client = netip.MustParseAddrPort("[2001:db8::1]:1") }), "HTTPCode_Target_2XX_Count IPv6ProcessedBytes IPv6RequestCount RequestCount"},
		"IPv4 in a socket for both": {with(served(200), func(x *exchange.Exchange) { x.Client = netip.MustParseAddrPort("[::ffff:192.0.2.1]:1") }), "HTTPCode_Target_2XX_Count RequestCount"},
		"odd":                       {with(served(200), func(x *exchange.Exchange) { x.Finding.Class = http1.Ambiguous }), "DesyncMitigationMode_NonCompliant_Request_Count HTTPCode_Target_2XX_Count RequestCount"},
		"drops":                     {with(served(200), func(x *exchange.Exchange) { x.InvalidFields, x.DropsInvalid = true, true }), "DroppedInvalidHeaderRequestCount HTTPCode_Target_2XX_Count RequestCount"},
		"passes on":                 {with(served(200), func(x *exchange.Exchange) { x.InvalidFields = true }), "ForwardedInvalidHeaderRequestCount HTTPCode_Target_2XX_Count RequestCount"},
		"nothing":                   {&exchange.Exchange{Received: 3}, ""},
	} {
		b, g := &Balancer{}, &Group{}
		b.Count(test.x)
		g.Count(test.x)
		counts := b.counted()
		if counts["ProcessedBytes"] != uint64(test.x.Received+test.x.Written) {
			t.Errorf("%s: %d bytes", name, counts["ProcessedBytes"])
		}
		delete(counts, "ProcessedBytes")
		for k, n := range nonZero(g.counts[:], groupCounts[:]) {
			counts[k] = n
		}
		var got string
		for i, k := range slices.Sorted(maps.Keys(counts)) {
			if i > 0 {
				got += " "
			}
			if got += k; counts[k] != 1 && k != "IPv6ProcessedBytes" {
				t.Errorf("%s: %s is %d", name, k, counts[k])
			}
		}
		if got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

// Ten rules are free for each request, and the default rule is none.
func TestRuleEvaluations(t *testing.T) {
	for _, test := range []struct {
		looked        uint64
		rule          string
		all, billable uint64
	}{{1, "default", 0, 0}, {1, "1", 1, 0}, {10, "10", 10, 0}, {11, "default", 10, 0}, {13, "13", 13, 3}} {
		b, x := &Balancer{}, served(200)
		x.Evaluated, x.Rule = test.looked, &routing.Rule{Priority: test.rule}
		b.Count(x)
		if c := b.counted(); c["RuleEvaluations"] != test.all || c[desired.BillableRuleEvaluations] != test.billable {
			t.Errorf("%+v: %v", test, c)
		}
	}
}

func TestFlowsAreCounted(t *testing.T) {
	b := &Balancer{}
	b.Begin(TCP)
	b.Begin(TLS)
	b.Begin(TLS)
	b.End(TLS)
	b.Passed(UDP, 7)
	b.Passed(TCP, 3)
	b.CountUnreached(fmt.Errorf("dial: %w", syscall.EADDRNOTAVAIL))
	b.CountUnreached(errors.New("refused"))
	want := map[string]uint64{
		"NewFlowCount": 3, "NewFlowCount_TCP": 1, "NewFlowCount_TLS": 2,
		"ProcessedBytes": 10, "ProcessedBytes_UDP": 7, "ProcessedBytes_TCP": 3, "PortAllocationErrorCount": 1,
	}
	if got := b.counted(); !reflect.DeepEqual(got, want) {
		t.Errorf("%v", got)
	}
	if got, want := b.open(), map[string]int64{"ActiveFlowCount": 2, "ActiveFlowCount_TCP": 1, "ActiveFlowCount_TLS": 1}; !reflect.DeepEqual(got, want) {
		t.Errorf("%v", got)
	}
}

func counted(k Key, n uint64, state *State) Counted {
	return Counted{Key: k, Counts: map[string]uint64{"RequestCount": n}, State: state}
}

func TestSince(t *testing.T) {
	serving := func(healthy int64) *State {
		return &State{Targets: map[string]int64{"HealthyHostCount": healthy}, Serving: healthy}
	}
	for name, test := range map[string]struct {
		earlier, now Snapshot
		want         float64 // requests
		perTarget    float64
	}{
		"first":                  {nil, Snapshot{"p": {counted(groupKey, 5, serving(2))}}, 5, 2.5},
		"more":                   {Snapshot{"p": {counted(groupKey, 5, nil)}}, Snapshot{"p": {counted(groupKey, 8, serving(3))}}, 3, 1},
		"another process":        {Snapshot{"p": {counted(groupKey, 5, nil)}}, Snapshot{"q": {counted(groupKey, 8, serving(2))}}, 8, 4},
		"a process that is gone": {Snapshot{"p": {counted(groupKey, 5, nil)}}, Snapshot{"p": {counted(groupKey, 6, nil)}, "q": {counted(groupKey, 2, serving(1))}}, 3, 3},
		"lower":                  {Snapshot{"p": {counted(groupKey, 5, nil)}}, Snapshot{"p": {counted(groupKey, 4, serving(1))}}, 4, 4},
		"two, same targets":      {nil, Snapshot{"p": {counted(groupKey, 5, serving(2))}, "q": {counted(groupKey, 5, serving(2))}}, 10, 5},
		"no targets":             {nil, Snapshot{"p": {counted(groupKey, 5, &State{})}}, 5, 0},
	} {
		got := test.now.Since(test.earlier)
		if len(got) != 1 || got[0].Counts["RequestCount"] != test.want || got[0].Counts["RequestCountPerTarget"] != test.perTarget {
			t.Errorf("%s: %+v", name, got)
		}
		if again := test.now.Since(test.now); len(again) == 1 && len(again[0].Counts) > 0 {
			t.Errorf("%s: counted twice: %+v", name, again)
		}
	}
}

// What is configured is measured also when nothing happens; what is not, only while
// something has.
func TestSinceNothing(t *testing.T) {
	s := Snapshot{"p": {
		{Key: key, State: &State{Sums: map[string]int64{"ActiveConnectionCount": 2}}},
		{Key: groupKey, State: &State{Sticky: true}},
		counted(Key{Balancer: "old", Zone: "a"}, 3, nil),
	}}
	want := []desired.BalancerMeasurement{
		{Balancer: "lb", Zone: "a", Counts: map[string]float64{}, Gauges: map[string]float64{"ActiveConnectionCount": 2}},
		{Balancer: "lb", Group: "g", Zone: "a", Counts: map[string]float64{"NonStickyRequestCount": 0}, Gauges: map[string]float64{}},
	}
	if got := s.Since(s); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
}

// A snapshot is the same after it was on a disk.
func TestSnapshotIsEncoded(t *testing.T) {
	r := &Registry{}
	r.Set([]Key{key, groupKey}, time.Unix(0, 0))
	r.Balancer("lb", "a").Count(served(200))
	r.Group("lb", "g", "a").Count(served(200))
	s := Snapshot{"p": r.Counted()}
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var read Snapshot
	if err := json.Unmarshal(b, &read); err != nil {
		t.Fatal(err)
	}
	if got, want := read.Since(nil), s.Since(nil); !reflect.DeepEqual(got, want) || len(got) != 2 || len(got[1].Times["TargetResponseTime"]) != 1 {
		t.Errorf("%+v, want %+v", got, want)
	}
	if again := s.Since(read); len(again[0].Counts)+len(again[1].Counts)+len(again[1].Times) > 0 {
		t.Errorf("counted again: %+v", again)
	}
}

// Counters of what is no longer configured are kept for a while, and go on when it comes
// back.
func TestRegistryKeeps(t *testing.T) {
	r, now := &Registry{}, time.Unix(1000, 0)
	both := []Key{key, groupKey}
	r.Set(both, now)
	b, g := r.Balancer("lb", "a"), r.Group("lb", "g", "a")
	r.Set(nil, now)
	g.Count(served(200)) // one that was under way
	if all := r.Counted(); len(all) != 2 || all[0].State != nil || all[1].Counts["RequestCount"] != 1 {
		t.Errorf("%+v", all)
	}
	r.Set(both, now.Add(keepGone))
	if r.Balancer("lb", "a") != b || r.Group("lb", "g", "a") != g {
		t.Error("they are others")
	}
	r.Set(nil, now.Add(keepGone))
	r.Set(nil, now.Add(2*keepGone+1))
	if all := r.Counted(); len(all) != 0 || r.Group("lb", "g", "a") != nil {
		t.Errorf("%+v", all)
	}
}

// Counting a request allocates nothing.
func TestCountingAllocatesNothing(t *testing.T) {
	b, g, x := &Balancer{}, &Group{}, served(200)
	if n := testing.AllocsPerRun(100, func() { b.Count(x); g.Count(x) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkCount(b *testing.B) {
	m, g, x := &Balancer{}, &Group{}, served(200)
	for b.Loop() {
		m.Count(x)
		g.Count(x)
	}
}
