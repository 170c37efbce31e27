package balancer

import (
	"strings"
	"time"

	"fargo/balancer/http1"
)

// Names of the cookies that balancers make.
// Source: ALB user guide, "Sticky sessions for your Application Load Balancer".
const (
	cookieTarget   = "AWSALB"
	cookieTargetX  = "AWSALBCORS" // the same for requests from other sites
	cookieGroup    = "AWSALBTG"
	cookieGroupX   = "AWSALBTGCORS"
	cookieAppBased = "AWSALBAPP-0"
)

// stickiness says how clients stay with a target.
type stickiness struct {
	kind     string // "lb_cookie", "app_cookie", "source_ip"; "" means not at all
	cookie   string // the application's, for app_cookie
	duration time.Duration
}

func readStickiness(a attributes) stickiness {
	if !a.on("stickiness.enabled", false) {
		return stickiness{}
	}
	s := stickiness{kind: a.text("stickiness.type", "lb_cookie")}
	switch s.kind {
	case "lb_cookie":
		s.duration = a.seconds("stickiness.lb_cookie.duration_seconds", 86400)
	case "app_cookie":
		s.cookie = a.text("stickiness.app_cookie.cookie_name", "")
		s.duration = a.seconds("stickiness.app_cookie.duration_seconds", 86400)
	}
	return s
}

// cookie finds a cookie that the client sent.
func cookie(fields []http1.Field, name string) (string, bool) {
	for i := range fields {
		if fields[i].Kind != http1.Cookie {
			continue
		}
		for pair := range strings.SplitSeq(fields[i].Value, ";") {
			k, v, _ := strings.Cut(strings.TrimLeft(pair, " "), "=")
			if k == name {
				return v, true
			}
		}
	}
	return "", false
}

// firstCookie finds the first of several.
func firstCookie(fields []http1.Field, names ...string) string {
	for _, name := range names {
		if v, ok := cookie(fields, name); ok {
			return v
		}
	}
	return ""
}

// chooseGroup is the group for a request. When the choice is to be remembered,
// remember is the token to give the client.
func (f *forward) chooseGroup(fields []http1.Field) (chosen *view, remember string) {
	if f.sticky == 0 {
		return f.next(), ""
	}
	if held := firstCookie(fields, cookieGroup, cookieGroupX); held != "" {
		for _, g := range f.groups {
			if t := token(g.arn); t == held {
				return g, t
			}
		}
	}
	if chosen = f.next(); chosen != nil {
		remember = token(chosen.arn)
	}
	return chosen, remember
}

// chooseTarget is the target for a request, and whether a cookie decided.
func (g *group) chooseTarget(t *table, fields []http1.Field) (chosen *target, stuck bool) {
	switch t.sticky.kind {
	case "lb_cookie":
		chosen = t.byToken[firstCookie(fields, cookieTarget, cookieTargetX)]
	case "app_cookie":
		if _, ok := cookie(fields, t.sticky.cookie); ok {
			chosen = t.byToken[firstCookie(fields, cookieAppBased)]
		}
	}
	if chosen != nil {
		return chosen, true
	}
	return g.pick(t), false
}

// stickyCookies adds the cookies with which the client comes back to the same
// place. answer is what the target set.
func stickyCookies(answer []http1.Field, f *forward, remember string, s stickiness, t *target, now time.Time) []http1.Field {
	if remember != "" {
		answer = appendCookie(answer, cookieGroup, remember, "", now.Add(f.sticky))
		answer = appendCookie(answer, cookieGroupX, remember, "; SameSite=None; Secure", now.Add(f.sticky))
	}
	switch s.kind {
	case "lb_cookie":
		answer = appendCookie(answer, cookieTarget, t.token, "", now.Add(s.duration))
		answer = appendCookie(answer, cookieTargetX, t.token, "; SameSite=None; Secure", now.Add(s.duration))
	case "app_cookie":
		if setsCookie(answer, s.cookie) {
			answer = appendCookie(answer, cookieAppBased, t.token, "", now.Add(s.duration))
		}
	}
	return answer
}

func appendCookie(fields []http1.Field, name, v, flags string, expires time.Time) []http1.Field {
	v = name + "=" + v + "; Expires=" + expires.UTC().Format(httpTime) + "; Path=/" + flags
	return append(fields, http1.Field{Name: "Set-Cookie", Value: v, Kind: http1.SetCookie})
}

func setsCookie(answer []http1.Field, name string) bool {
	for i := range answer {
		if answer[i].Kind == http1.SetCookie && strings.HasPrefix(answer[i].Value, name+"=") {
			return true
		}
	}
	return false
}
