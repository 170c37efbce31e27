package ecr

import (
	"fargo/api/page"
	"fargo/aws/ecr"
)

// pages are those of all lists. Source: ECR API, maxResults of the List and
// Describe operations; its bounds are in the model.
var pages = page.Rules{
	Default: 100,
	BadToken: func(string) error {
		return ecr.InvalidParameterException("Invalid parameter at 'nextToken' failed to satisfy constraint: 'must be a token of an earlier answer'")
	},
}
