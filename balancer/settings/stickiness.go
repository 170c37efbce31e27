package settings

import "time"

// Stickiness says how clients stay with a target.
type Stickiness struct {
	Kind     string // "lb_cookie", "app_cookie", "source_ip"; "" means not at all
	Cookie   string // the application's, for app_cookie
	Duration time.Duration
}

func readStickiness(a Attributes) Stickiness {
	if !a.Bool("stickiness.enabled", false) {
		return Stickiness{}
	}
	s := Stickiness{Kind: a.text("stickiness.type", "lb_cookie")}
	switch s.Kind {
	case "lb_cookie":
		s.Duration = a.Seconds("stickiness.lb_cookie.duration_seconds", 86400)
	case "app_cookie":
		s.Cookie = a.text("stickiness.app_cookie.cookie_name", "")
		s.Duration = a.Seconds("stickiness.app_cookie.duration_seconds", 86400)
	}
	return s
}
