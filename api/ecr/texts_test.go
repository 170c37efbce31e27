package ecr_test

import (
	"testing"

	"fargo/api/apitest"
)

// It is known where every text of an error is from.
func TestTexts(t *testing.T) {
	for _, dir := range []string{".", "../../registry"} {
		apitest.Texts(t, dir)
	}
}
