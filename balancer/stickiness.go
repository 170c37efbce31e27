package balancer

import "time"

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
