package iam_test

import (
	"testing"

	"fargo/api/apitest"
)

// Every text of an error has its source, in testdata/texts.
func TestTexts(t *testing.T) {
	apitest.Texts(t, ".")
}
