package api_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fargo/api"
	"fargo/aws/ec2"
	"fargo/aws/ecs"
	"fargo/aws/iam"
)

// TestRates: a bucket is emptied, is filled again by the second, and is shared by the
// operations of its group and by no others.
func TestRates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := config(server{})
		c.Throttle = true
		for i := range c.Services {
			if c.Services[i].Service == &ecs.API {
				c.Services[i].Rates = []api.Rate{{Operations: []string{"DescribeClusters", "DescribeTasks"}, Burst: 3, PerSecond: 2}}
			}
		}
		chain := api.New(c)
		call := func(operation, body string) string {
			w := httptest.NewRecorder()
			chain.ServeHTTP(w, exchange{service: "ecs", header: target + operation, body: body}.request("http://127.0.0.1"))
			if w.Code == 400 && strings.Contains(w.Body.String(), "ThrottlingException") {
				if !strings.Contains(w.Body.String(), "Rate exceeded") {
					t.Errorf("the text is %s", w.Body)
				}
				return "-"
			}
			return "+"
		}
		var got strings.Builder
		for range 4 {
			got.WriteString(call("DescribeClusters", "{}"))
		}
		got.WriteString(call("DescribeTasks", `{"tasks":["a"]}`)) // the same bucket
		got.WriteString(call("StopTask", `{"task":"a"}`))         // none
		time.Sleep(time.Second)
		for range 3 {
			got.WriteString(call("DescribeClusters", "{}"))
		}
		if want := "+++-" + "-" + "+" + "++-"; got.String() != want {
			t.Errorf("got %s, want %s", got.String(), want)
		}
	})
}

// waiting is an authorizer that waits.
type waiting struct{ entered, leave chan struct{} }

func (a waiting) Authorize(context.Context, *api.Call, any) error {
	a.entered <- struct{}{}
	<-a.leave
	return nil
}

// TestAtOnce: a caller that has as many requests being served as one may have is refused
// further ones, in its service's words; another caller is not.
func TestAtOnce(t *testing.T) {
	c := config(server{})
	wait := waiting{make(chan struct{}), make(chan struct{})}
	c.Authorizer = wait
	chain := api.New(c)
	serve := func(e exchange) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		chain.ServeHTTP(w, e.request("http://127.0.0.1"))
		return w
	}
	stop := exchange{service: "ecs", header: target + "StopTask", body: `{"task":"a"}`}
	var all sync.WaitGroup
	for range 512 {
		all.Go(func() { serve(stop) })
		<-wait.entered
	}
	for _, test := range []struct {
		exchange
		code string
	}{
		{stop, "ThrottlingException"},
		{exchange{service: "iam", header: form, body: "Action=GetUser&Version=" + iam.API.APIVersion}, "<Code>Throttling</Code>"},
		{exchange{service: "ec2", header: form, body: "Action=DescribeVpcs&Version=" + ec2.API.APIVersion}, "<Code>RequestLimitExceeded</Code>"},
	} {
		if w := serve(test.exchange); !strings.Contains(w.Body.String(), test.code) {
			t.Errorf("%d %s, want %s", w.Code, w.Body, test.code)
		}
	}
	other := stop
	other.key, other.token = "ASIALIVE", "token"
	all.Go(func() {
		if w := serve(other); strings.Contains(w.Body.String(), "Throttling") {
			t.Errorf("another caller: %d %s", w.Code, w.Body)
		}
	})
	<-wait.entered
	close(wait.leave)
	all.Wait()
	all.Go(func() { serve(stop) })
	<-wait.entered // it is let in again
	all.Wait()
}
