package ecs_test

import (
	"testing"

	"fargo/api/apitest"
)

// Every text of an error has its source.
func TestTexts(t *testing.T) { apitest.Texts(t, ".") }
