package applicationautoscaling_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"fargo"
	"fargo/api"
	"fargo/api/applicationautoscaling"
	wire "fargo/aws/applicationautoscaling"
)

type noKeys struct{}

func (noKeys) Key(string) (api.Key, bool) { return api.Key{}, false }

// Requests find the service by its target, and what it does not know is refused by name.
func TestRefusedByName(t *testing.T) {
	handler := api.New(api.Config{
		Services: []api.Mounted{{Service: &wire.API, Server: applicationautoscaling.New(applicationautoscaling.Config{})}},
		Keys:     noKeys{}, Authorizer: api.AllowAuthenticated{}, Logger: slog.New(slog.DiscardHandler),
		AcceptAnyCredentials: true, Account: fargo.DefaultAccount, Region: fargo.DefaultRegion,
	})
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("{}"))
	r.Header.Set("X-Amz-Target", "AnyScaleFrontendService.GetPredictiveScalingForecast")
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	if w.Code != http.StatusNotImplemented || !strings.Contains(w.Body.String(), "applicationautoscaling:GetPredictiveScalingForecast is not implemented") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
