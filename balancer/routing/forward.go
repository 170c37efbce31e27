package routing

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"fargo/aws"
	"fargo/aws/elbv2"
	"fargo/balancer/http1"
	"fargo/balancer/sticky"
)

// Forward sends requests to groups, in exact shares of their weights.
type Forward struct {
	Groups []string // ARNs
	// cycle has the index of a group for each turn; empty when all weights are 0.
	cycle []uint8
	turn  *atomic.Uint64
	// Sticky is how long a client stays with its group; 0 means not at all.
	Sticky time.Duration
}

func compileForward(a *elbv2.Action, known func(group string) bool, turn *atomic.Uint64) (*Forward, error) {
	f := &Forward{turn: turn}
	var weights []int
	if c := a.ForwardConfig; c != nil {
		for _, g := range c.TargetGroups {
			weight := int(aws.ValueOr(g.Weight, 1))
			f.Groups, weights = append(f.Groups, aws.Value(g.TargetGroupArn)), append(weights, weight)
		}
		if s := c.TargetGroupStickinessConfig; s != nil && aws.Value(s.Enabled) {
			f.Sticky = time.Duration(aws.Value(s.DurationSeconds)) * time.Second
		}
	}
	if len(f.Groups) == 0 && a.TargetGroupArn != nil {
		f.Groups, weights = []string{*a.TargetGroupArn}, []int{1}
	}
	var unknown []error
	for _, arn := range f.Groups {
		if !known(arn) {
			unknown = append(unknown, fmt.Errorf("target group %s is not known", arn))
		}
	}
	f.cycle = spread(weights)
	return f, errors.Join(unknown...)
}

// spread orders the turns of one round so that each index has exactly its
// weight's share and its turns lie as far apart as they can: each turn goes to
// the one that is furthest behind its share.
func spread(weights []int) []uint8 {
	total, divisor := 0, 0
	for _, w := range weights {
		total += w
		divisor = gcd(divisor, w)
	}
	if total == 0 {
		return nil
	}
	total /= divisor
	credit := make([]int, len(weights))
	cycle := make([]uint8, total)
	for turn := range cycle {
		best := 0
		for i, w := range weights {
			credit[i] += w / divisor
			if credit[i] > credit[best] {
				best = i
			}
		}
		credit[best] -= total
		cycle[turn] = uint8(best)
	}
	return cycle
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// Next is the index of the group whose turn it is, or -1 when all weights are 0.
func (f *Forward) Next() int {
	switch len(f.cycle) {
	case 0:
		return -1
	case 1:
		return int(f.cycle[0])
	}
	return int(f.cycle[(f.turn.Add(1)-1)%uint64(len(f.cycle))])
}

// Choose is the index of the group for a request with these fields, or -1 when
// all weights are 0. When the choice is to be remembered, remember is the token to
// give the client.
func (f *Forward) Choose(fields []http1.Field) (chosen int, remember string) {
	if f.Sticky == 0 {
		return f.Next(), ""
	}
	if held := sticky.First(fields, sticky.GroupCookie, sticky.GroupCookieCORS); held != "" {
		for i, arn := range f.Groups {
			if t := sticky.Token(arn); t == held {
				return i, t
			}
		}
	}
	if chosen = f.Next(); chosen >= 0 {
		remember = sticky.Token(f.Groups[chosen])
	}
	return chosen, remember
}
