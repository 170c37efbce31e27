package balancer

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"fargo/aws/elbv2"
	"fargo/desired"
)

// rule is a rule compiled.
type rule struct {
	arn, priority string
	conditions    []condition
	transform     *transform
	action        action
}

func (r *rule) match(q *request) bool {
	for _, c := range r.conditions {
		if !c(q) {
			return false
		}
	}
	return true
}

// action is what a rule does in the end. Exactly one field is set.
type action struct {
	forward  *forward
	redirect *redirect
	fixed    *fixedResponse
	// refused is the type of an action that is not offered.
	refused string
}

// compileRule reads a rule. Where a condition or a transform cannot be read there is no rule,
// only the error. Groups that are not among those given are an error too, but
// then as groups without targets.
func compileRule(r *desired.BalancerRule, groups map[string]*view, turn *atomic.Uint64) (*rule, error) {
	compiled := &rule{arn: r.ARN, priority: r.Priority}
	for i := range r.Conditions {
		c, err := compileCondition(&r.Conditions[i])
		if err != nil {
			return nil, fmt.Errorf("rule %s: %w", r.ARN, err)
		}
		compiled.conditions = append(compiled.conditions, c)
	}
	var err error
	if compiled.transform, err = compileTransform(r.Transforms); err != nil {
		return nil, fmt.Errorf("rule %s: %w", r.ARN, err)
	}
	if compiled.action, err = compileAction(r.Actions, groups, turn); err != nil {
		err = fmt.Errorf("rule %s: %w", r.ARN, err)
	}
	return compiled, err
}

func compileAction(actions []elbv2.Action, groups map[string]*view, turn *atomic.Uint64) (action, error) {
	if len(actions) == 0 {
		return action{refused: "nothing"}, errors.New("no action")
	}
	if len(actions) > 1 { // what may come before the last one authenticates
		return action{refused: string(actions[0].Type)}, nil
	}
	switch last := &actions[0]; last.Type {
	case elbv2.ActionTypeEnumForward:
		f, err := compileForward(last, groups, turn)
		return action{forward: f}, err
	case elbv2.ActionTypeEnumRedirect:
		if last.RedirectConfig == nil {
			return action{refused: "redirect"}, errors.New("redirect has no RedirectConfig")
		}
		return action{redirect: compileRedirect(last.RedirectConfig)}, nil
	case elbv2.ActionTypeEnumFixedResponse:
		if last.FixedResponseConfig == nil {
			return action{refused: "fixed-response"}, errors.New("fixed-response has no FixedResponseConfig")
		}
		f, err := compileFixed(last.FixedResponseConfig)
		if err != nil {
			return action{refused: "fixed-response"}, err
		}
		return action{fixed: f}, nil
	default:
		return action{refused: string(last.Type)}, nil
	}
}

// forward sends requests to groups, in exact shares of their weights.
type forward struct {
	groups []*view
	// cycle has the index of a group for each turn; empty when all weights are 0.
	cycle []uint8
	turn  *atomic.Uint64
	// sticky is how long a client stays with its group; 0 means not at all.
	sticky time.Duration
}

func compileForward(a *elbv2.Action, groups map[string]*view, turn *atomic.Uint64) (*forward, error) {
	f := &forward{turn: turn}
	var arns []string
	var weights []int
	if c := a.ForwardConfig; c != nil {
		for _, g := range c.TargetGroups {
			weight := 1
			if g.Weight != nil {
				weight = int(*g.Weight)
			}
			arns, weights = append(arns, value(g.TargetGroupArn)), append(weights, weight)
		}
		if s := c.TargetGroupStickinessConfig; s != nil && value(s.Enabled) {
			f.sticky = time.Duration(value(s.DurationSeconds)) * time.Second
		}
	}
	if len(arns) == 0 && a.TargetGroupArn != nil {
		arns, weights = []string{*a.TargetGroupArn}, []int{1}
	}
	var unknown []error
	for _, arn := range arns {
		g := groups[arn]
		if g == nil {
			unknown = append(unknown, fmt.Errorf("target group %s is not known", arn))
			g = newView(newGroup(arn))
		}
		f.groups = append(f.groups, g)
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

// next is the group whose turn it is, or nil when all weights are 0.
func (f *forward) next() *view {
	switch len(f.cycle) {
	case 0:
		return nil
	case 1:
		return f.groups[f.cycle[0]]
	}
	return f.groups[f.cycle[(f.turn.Add(1)-1)%uint64(len(f.cycle))]]
}

// fixedResponse is an answer the balancer gives itself.
type fixedResponse struct {
	status            int
	contentType, body string
}

func compileFixed(c *elbv2.FixedResponseActionConfig) (*fixedResponse, error) {
	status, err := strconv.Atoi(value(c.StatusCode))
	if err != nil {
		return nil, fmt.Errorf("fixed-response: %w", err)
	}
	f := &fixedResponse{status: status, contentType: value(c.ContentType), body: value(c.MessageBody)}
	if f.contentType == "" {
		f.contentType = "text/plain"
	}
	f.contentType += "; charset=utf-8"
	return f, nil
}

// redirect sends the client elsewhere.
type redirect struct {
	status                            int
	protocol, host, port, path, query string // templates
}

func compileRedirect(c *elbv2.RedirectActionConfig) *redirect {
	text := func(p *string, otherwise string) string {
		if p == nil {
			return otherwise
		}
		return *p
	}
	r := &redirect{
		status:   301,
		protocol: text(c.Protocol, "#{protocol}"),
		host:     text(c.Host, "#{host}"),
		port:     text(c.Port, "#{port}"),
		path:     text(c.Path, "/#{path}"),
		query:    text(c.Query, "#{query}"),
	}
	if c.StatusCode == elbv2.RedirectActionStatusCodeEnumHttp302 {
		r.status = 302
	}
	return r
}

// location is where a request to a listener on this port is sent.
// Source: ALB user guide, "Redirect actions".
func (r *redirect) location(q *request, port uint16) string {
	protocol := "http"
	if q.TLS {
		protocol = "https"
	}
	host, _ := splitPort(q.Authority)
	fill := strings.NewReplacer(
		"#{protocol}", protocol,
		"#{host}", host,
		"#{port}", strconv.Itoa(int(port)),
		"#{path}", strings.TrimPrefix(q.Path, "/"),
		"#{query}", q.Query,
	)
	url := strings.ToLower(fill.Replace(r.protocol)) + "://" + fill.Replace(r.host) + ":" + fill.Replace(r.port) + fill.Replace(r.path)
	if query := fill.Replace(r.query); query != "" {
		url += "?" + query
	}
	return url
}
