package balancer

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
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

// groupCookie is a group that a client is to come back to.
type groupCookie struct {
	Token    string // empty when nothing is to be remembered
	Duration time.Duration
}

// stickyCookies adds the cookies with which the client comes back to the same
// place: to its group, unless that has no token, and to the target with a token.
// answer is what the target set.
func stickyCookies(answer []http1.Field, group groupCookie, s stickiness, target string, now time.Time) []http1.Field {
	if group.Token != "" {
		answer = appendCookie(answer, cookieGroup, group.Token, "", now.Add(group.Duration))
		answer = appendCookie(answer, cookieGroupX, group.Token, "; SameSite=None; Secure", now.Add(group.Duration))
	}
	switch s.kind {
	case "lb_cookie":
		answer = appendCookie(answer, cookieTarget, target, "", now.Add(s.duration))
		answer = appendCookie(answer, cookieTargetX, target, "; SameSite=None; Secure", now.Add(s.duration))
	case "app_cookie":
		if setsCookie(answer, s.cookie) {
			answer = appendCookie(answer, cookieAppBased, target, "", now.Add(s.duration))
		}
	}
	return answer
}

func appendCookie(fields []http1.Field, name, v, flags string, expires time.Time) []http1.Field {
	v = name + "=" + v + "; Expires=" + expires.UTC().Format(http.TimeFormat) + "; Path=/" + flags
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

// token is what a cookie holds for a choice made: it tells the choice again to
// any node at any time, and nothing else to the client.
func token(parts ...any) string {
	h := sha256.New()
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			h.Write(strconv.AppendQuote(nil, p))
		case time.Time:
			fmt.Fprintf(h, "%d,", p.UnixNano())
		default:
			fmt.Fprintf(h, "%v,", p)
		}
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}
