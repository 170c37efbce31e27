package api

import (
	"net/http"
	"sync"

	"golang.org/x/time/rate"

	"fargo/aws/protocol"
)

// maxAtOnce is how many requests of one caller are served at once: a quarter of the
// connections that there are, so that one caller leaves room for others.
const maxAtOnce = 512

// Rate is how often an account may call a group of operations in a region: a bucket of
// tokens, of which each call takes one.
type Rate struct {
	Operations []string
	Burst      int // what the bucket holds
	PerSecond  int // what is put into it
}

// throttled are the errors of families of services for one request too many.
// Source: ECS API reference, "Request throttling for the Amazon ECS API"; "Common Errors"
// of IAM; EC2 API reference, "Error codes"; S3 API reference, "Error responses".
var throttled = map[string]protocol.Error{
	"json":  {Code: "ThrottlingException", Status: http.StatusBadRequest, Message: "Rate exceeded"},
	"query": {Code: "Throttling", Status: http.StatusBadRequest, Message: "Rate exceeded"},
	"ec2":   {Code: "RequestLimitExceeded", Status: http.StatusServiceUnavailable, Message: "Request limit exceeded."},
	"s3":    {Code: "SlowDown", Status: http.StatusServiceUnavailable, Message: "Please reduce your request rate."},
}

// throttle refuses a request when its caller has too many, or when its account calls too
// often.
func (x *exchange) throttle() error {
	x.admitted = x.callers.enter(x.call.PrincipalARN)
	if x.admitted && (!x.Throttle || x.rates.allow(x.call.Account, x.call.Region, x.operation)) {
		return nil
	}
	e := throttled[family(x.operation.service, x.request.HTTP)]
	return &e
}

// leave ends what throttle has begun.
func (x *exchange) leave() {
	if x.admitted {
		x.callers.leave(x.call.PrincipalARN)
	}
}

// callers counts the requests that are being served, by caller.
type callers struct {
	mu sync.Mutex
	n  map[string]int
}

func (c *callers) enter(principal string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n[principal] >= maxAtOnce {
		return false
	}
	if c.n == nil {
		c.n = map[string]int{}
	}
	c.n[principal]++
	return true
}

func (c *callers) leave(principal string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n[principal]--; c.n[principal] == 0 {
		delete(c.n, principal)
	}
}

// rates are the buckets of accounts.
type rates struct {
	mu      sync.Mutex
	buckets map[ofAccount]*rate.Limiter
}

// ofAccount is a group of operations in one account and region.
type ofAccount struct {
	account, region string
	rate            *Rate
}

func (r *rates) allow(account, region string, op *operation) bool {
	if op.rate == nil {
		return true
	}
	key := ofAccount{account, region, op.rate}
	r.mu.Lock()
	bucket := r.buckets[key]
	if bucket == nil {
		if r.buckets == nil {
			r.buckets = map[ofAccount]*rate.Limiter{}
		}
		bucket = rate.NewLimiter(rate.Limit(op.rate.PerSecond), op.rate.Burst)
		r.buckets[key] = bucket
	}
	r.mu.Unlock()
	return bucket.Allow()
}

// rateOf gives the rate of the group that an operation is in, or nil.
func rateOf(groups []Rate, operation string) *Rate {
	for i := range groups {
		for _, name := range groups[i].Operations {
			if name == operation {
				return &groups[i]
			}
		}
	}
	return nil
}
