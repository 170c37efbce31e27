package api_test

import (
	"testing"

	"fargo/api/apitest"
)

// Decisions that an API and a controller share refuse in AWS's words too.
func TestTextsOfDecisions(t *testing.T) { apitest.Texts(t, "../plan") }
