package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"fargo/aws/sigv4"
)

// apiClient calls the AWS APIs over connections that stay open, and signs, as an
// SDK does.
type apiClient struct {
	http   http.Client
	url    string
	region string
	key    sigv4.Credentials
}

var export = regexp.MustCompile(`(?m)^export (\w+)='([^']*)'$`)

// newAPIClient makes a client with what fargo env says.
func newAPIClient(ctx context.Context, in *installation) (*apiClient, error) {
	out, err := command(ctx, in.binary, "env", "--data-dir", in.data)
	if err != nil {
		return nil, err
	}
	env := map[string]string{}
	for _, m := range export.FindAllStringSubmatch(out, -1) {
		env[m[1]] = m[2]
	}
	return &apiClient{
		http:   http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
		url:    env["AWS_ENDPOINT_URL"],
		region: env["AWS_REGION"],
		key:    sigv4.Credentials{AccessKeyID: env["AWS_ACCESS_KEY_ID"], Secret: env["AWS_SECRET_ACCESS_KEY"]},
	}, nil
}

// json calls an operation of a service that speaks awsJson; out may be nil.
func (c *apiClient) json(ctx context.Context, service, target string, in, out any) error {
	r, body, err := c.jsonRequest(ctx, service, target, in)
	if err != nil {
		return err
	}
	answer, err := c.do(r, body, service)
	if err != nil {
		return fmt.Errorf("%s: %w", target, err)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer, out)
}

func (c *apiClient) jsonRequest(ctx context.Context, service, target string, in any) (*http.Request, []byte, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+"/", bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", target)
	return r, body, nil
}

// query calls an operation of a service that speaks a query protocol; out may be
// nil.
func (c *apiClient) query(ctx context.Context, service string, in url.Values, out any) error {
	body := []byte(in.Encode())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+"/", bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	answer, err := c.do(r, body, service)
	if err != nil {
		return fmt.Errorf("%s: %w", in.Get("Action"), err)
	}
	if out == nil {
		return nil
	}
	return xml.Unmarshal(answer, out)
}

func (c *apiClient) do(r *http.Request, body []byte, service string) ([]byte, error) {
	sigv4.Sign(r, body, c.key, c.region, service, time.Now())
	response, err := c.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, answer)
	}
	return answer, err
}
