package acm_test

import (
	"testing"

	"fargo/api"
	"fargo/api/acm"
	"fargo/api/apitest"
	wire "fargo/aws/acm"
)

func TestTexts(t *testing.T) { apitest.Texts(t, ".") }

func TestRecorded(t *testing.T) {
	apitest.RunRecorded(t, func(t *testing.T) apitest.Setup {
		return apitest.Setup{Services: []api.Mounted{{Service: &wire.API, Server: acm.New(open(t))}}}
	})
}
