package balancer_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"

	"fargo/aws/elbv2"
	"fargo/desired"
)

// named is a target that answers with its name, and sets a cookie when asked.
func named(t *testing.T, name string) string {
	return backend(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/login" {
			http.SetCookie(w, &http.Cookie{Name: "SESSION", Value: name, Path: "/"})
		}
		io.WriteString(w, name)
	})
}

// ask gives a client's answer and the names of the cookies that came with it.
func ask(t *testing.T, h *system, client *http.Client, path string) (body string, cookies []string) {
	t.Helper()
	r, err := client.Get("http://" + h.addr(80) + path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	content, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range r.Cookies() {
		cookies = append(cookies, c.Name)
	}
	return string(content), cookies
}

// plainJar keeps the cookies without Secure, as this client speaks HTTP.
func plainJar(t *testing.T) *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar}
}

func TestDurationStickiness(t *testing.T) {
	h := newSystem(t)
	g := group("arn:g", named(t, "a"), named(t, "b"), named(t, "c"))
	g.Attributes["stickiness.enabled"] = "true"
	b := []desired.Balancer{alb(forwardTo("arn:g"))}
	h.set(b, []desired.BalancerGroup{g})
	h.healthy(3)
	client := plainJar(t)
	mine, cookies := ask(t, h, client, "/")
	if strings.Join(cookies, " ") != "AWSALB AWSALBCORS" {
		t.Errorf("cookies: %v", cookies)
	}
	for range 6 {
		if got, _ := ask(t, h, client, "/"); got != mine {
			t.Errorf("%s after %s", got, mine)
		}
	}
	others := map[string]bool{}
	for range 3 {
		got, _ := ask(t, h, http.DefaultClient, "/")
		others[got] = true
	}
	if len(others) != 3 {
		t.Errorf("without cookies: %v", others)
	}
	for i := range g.Targets { // all but mine stay
		g.Targets[i].Draining = mine == string("abc"[i])
	}
	h.set(b, []desired.BalancerGroup{g})
	moved, _ := ask(t, h, client, "/")
	if again, _ := ask(t, h, client, "/"); moved == mine || again != moved {
		t.Errorf("%s, then %s and %s", mine, moved, again)
	}
}

func TestApplicationStickiness(t *testing.T) {
	h := newSystem(t)
	g := group("arn:g", named(t, "a"), named(t, "b"))
	g.Attributes["stickiness.enabled"] = "true"
	g.Attributes["stickiness.type"] = "app_cookie"
	g.Attributes["stickiness.app_cookie.cookie_name"] = "SESSION"
	h.set([]desired.Balancer{alb(forwardTo("arn:g"))}, []desired.BalancerGroup{g})
	h.healthy(2)
	client := plainJar(t)
	if _, cookies := ask(t, h, client, "/"); len(cookies) != 0 {
		t.Errorf("cookies: %v", cookies)
	}
	mine, cookies := ask(t, h, client, "/login")
	if strings.Join(cookies, " ") != "SESSION AWSALBAPP-0" {
		t.Errorf("cookies: %v", cookies)
	}
	for range 4 {
		if got, _ := ask(t, h, client, "/"); got != mine {
			t.Errorf("%s after %s", got, mine)
		}
	}
}

func TestGroupStickiness(t *testing.T) {
	h := newSystem(t)
	rule := forwardTo("arn:a", "arn:b")
	rule.Actions[0].ForwardConfig.TargetGroupStickinessConfig = &elbv2.TargetGroupStickinessConfig{Enabled: new(true), DurationSeconds: new(int32(100))}
	h.set([]desired.Balancer{alb(rule)}, []desired.BalancerGroup{group("arn:a", named(t, "a")), group("arn:b", named(t, "b"))})
	h.healthy(2)
	client := plainJar(t)
	mine, cookies := ask(t, h, client, "/")
	if strings.Join(cookies, " ") != "AWSALBTG AWSALBTGCORS" {
		t.Errorf("cookies: %v", cookies)
	}
	for range 4 {
		if got, _ := ask(t, h, client, "/"); got != mine {
			t.Errorf("%s after %s", got, mine)
		}
	}
}

// Weights are kept exactly, not on average.
func TestWeights(t *testing.T) {
	h := newSystem(t)
	rule := forwardTo("arn:a", "arn:b")
	rule.Actions[0].ForwardConfig.TargetGroups[0].Weight = new(int32(90))
	rule.Actions[0].ForwardConfig.TargetGroups[1].Weight = new(int32(10))
	h.set([]desired.Balancer{alb(rule)}, []desired.BalancerGroup{group("arn:a", named(t, "a")), group("arn:b", named(t, "b"))})
	h.healthy(2)
	got := map[string]int{}
	for range 200 {
		body, _ := ask(t, h, http.DefaultClient, "/")
		got[body]++
	}
	if got["a"] != 180 || got["b"] != 20 {
		t.Error(got)
	}
}
