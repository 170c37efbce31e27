package sticky

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"fargo/balancer/http1"
	"fargo/balancer/settings"
)

// Names of the cookies that balancers make.
// Source: ALB user guide, "Sticky sessions for your Application Load Balancer".
const (
	TargetCookie     = "AWSALB"
	TargetCookieCORS = "AWSALBCORS" // the same for requests from other sites
	GroupCookie      = "AWSALBTG"
	GroupCookieCORS  = "AWSALBTGCORS"
	AppCookie        = "AWSALBAPP-0"
)

// Cookie finds a cookie that the client sent.
func Cookie(fields []http1.Field, name string) (string, bool) {
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

// First finds the first of several.
func First(fields []http1.Field, names ...string) string {
	for _, name := range names {
		if v, ok := Cookie(fields, name); ok {
			return v
		}
	}
	return ""
}

// Group is a group that a client is to come back to.
type Group struct {
	Token    string // empty when nothing is to be remembered
	Duration time.Duration
}

// AppendCookies adds the cookies with which the client comes back to the same
// place: to its group, unless that has no token, and to the target with a token.
// answer is what the target set.
func AppendCookies(answer []http1.Field, group Group, s settings.Stickiness, target string, now time.Time) []http1.Field {
	if group.Token != "" {
		answer = appendCookie(answer, GroupCookie, group.Token, "", now.Add(group.Duration))
		answer = appendCookie(answer, GroupCookieCORS, group.Token, "; SameSite=None; Secure", now.Add(group.Duration))
	}
	switch s.Kind {
	case "lb_cookie":
		answer = appendCookie(answer, TargetCookie, target, "", now.Add(s.Duration))
		answer = appendCookie(answer, TargetCookieCORS, target, "; SameSite=None; Secure", now.Add(s.Duration))
	case "app_cookie":
		if setsCookie(answer, s.Cookie) {
			answer = appendCookie(answer, AppCookie, target, "", now.Add(s.Duration))
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

// Token is what a cookie holds for a choice: any node at any time finds the choice
// again by it, and the client learns nothing from it.
func Token(parts ...any) string {
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
