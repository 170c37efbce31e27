package dns

import (
	"fmt"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/miekg/dns"
)

// What a cache holds at most.
const (
	cacheEntries = 4096
	cacheMessage = 4096 // bytes; longer answers are not kept
	cacheTTL     = time.Hour
)

// A key is a question as far as its answer depends on it.
type key struct {
	name             string // canonical
	kind             uint16
	dnssec           bool // wants signatures
	checkingDisabled bool // wants them unchecked
}

func keyOf(q *query) key {
	opt := q.msg.IsEdns0()
	return key{q.name, q.q.Qtype, opt != nil && opt.Do(), q.msg.CheckingDisabled}
}

func (k key) String() string { return fmt.Sprint(k.name, " ", k.kind, k.dnssec, k.checkingDisabled) }

// A cache keeps answers for their TTL.
type cache struct{ entries *lru.Cache[key, entry] }

type entry struct {
	msg            *dns.Msg // does not change
	since, expires time.Time
}

func newCache() *cache {
	entries, err := lru.New[key, entry](cacheEntries)
	if err != nil {
		panic(err) // the size is not positive
	}
	return &cache{entries}
}

func (c *cache) clear() { c.entries.Purge() }

// get returns a copy with the remaining TTLs, or nil.
func (c *cache) get(k key, now time.Time) *dns.Msg {
	e, ok := c.entries.Get(k)
	if !ok {
		return nil
	}
	if !now.Before(e.expires) {
		c.entries.Remove(k)
		return nil
	}
	m := e.msg.Copy()
	age := uint32(now.Sub(e.since) / time.Second) //nolint:gosec // less than cacheTTL
	for _, section := range [][]dns.RR{m.Answer, m.Ns, m.Extra} {
		for _, rr := range section {
			rr.Header().Ttl -= min(age, rr.Header().Ttl)
		}
	}
	return m
}

// put keeps m, which the caller no longer changes.
func (c *cache) put(k key, m *dns.Msg, now time.Time) {
	ttl := lifetime(m)
	if ttl <= 0 || m.Len() > cacheMessage {
		return
	}
	c.entries.Add(k, entry{m, now, now.Add(ttl)})
}

// lifetime is how long an answer may be kept: the least of its TTLs. A negative one
// is kept as its SOA says (RFC 2308, 5), and not at all without one.
func lifetime(m *dns.Msg) time.Duration {
	if m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError {
		return 0
	}
	negative := m.Rcode == dns.RcodeNameError || len(m.Answer) == 0
	ttl, held := uint32(cacheTTL/time.Second), !negative
	for _, section := range [][]dns.RR{m.Answer, m.Ns, m.Extra} {
		for _, rr := range section {
			ttl = min(ttl, rr.Header().Ttl)
			if soa, ok := rr.(*dns.SOA); ok && negative {
				ttl, held = min(ttl, soa.Minttl), true
			}
		}
	}
	if !held {
		return 0
	}
	return time.Duration(ttl) * time.Second
}
