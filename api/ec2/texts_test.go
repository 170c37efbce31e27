package ec2_test

import (
	"testing"

	"fargo/api/apitest"
)

func TestTexts(t *testing.T) { apitest.Texts(t, ".") }
