package apitest

import "testing"

func TestOrderByValue(t *testing.T) {
	const written = `{
  "Versions": {
    "11111111-1111-4111-8111-111111111111": [
      "AWSPREVIOUS"
    ],
    "22222222-2222-4222-8222-222222222222": [
      "AWSCURRENT",
      "AWSPENDING"
    ]
  },
  "Name": "web"
}`
	const want = `{
  "Versions": {
    "22222222-2222-4222-8222-222222222222": [
      "AWSCURRENT",
      "AWSPENDING"
    ],
    "11111111-1111-4111-8111-111111111111": [
      "AWSPREVIOUS"
    ]
  },
  "Name": "web"
}`
	if got := orderByValue(written); got != want {
		t.Errorf("got %s", got)
	}
	if got := orderByValue(want); got != want {
		t.Errorf("what was in order became %s", got)
	}
}
