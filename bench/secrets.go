package main

import (
	"context"
	"fmt"
	"net/url"

	"github.com/google/uuid"
)

// fourSecrets is the task definition whose container is given two secrets of Secrets
// Manager and two parameters.
const fourSecrets = "with-secrets"

func secretName(n int) string    { return fmt.Sprintf("bench/secret-%d", n) }
func parameterName(n int) string { return fmt.Sprintf("/bench/parameter-%d", n) }

// measureSecrets starts a task that is given secrets and one that is not, in turns.
func measureSecrets(ctx context.Context, f *fixture, r *report) error {
	if err := f.defineSecrets(ctx); err != nil {
		return err
	}
	with, without := series{name: "RunTask → RUNNING with four secrets"}, series{name: "the same, in turns, without"}
	err := repeat(ctx, f.counts.warmups+f.counts.least, f.counts.warmups+f.counts.single, func(run int) error {
		plain, err := f.timeTask(ctx, plainTask)
		if err != nil {
			return err
		}
		given, err := f.timeTask(ctx, fourSecrets)
		if err == nil && run >= f.counts.warmups {
			without.add(plain.running)
			with.add(given.running)
		}
		return err
	})
	if err != nil {
		return err
	}
	r.latencies = append(r.latencies, with, without)
	later := with.percentile(50) - without.percentile(50)
	r.budget("a task with four secrets is RUNNING later than one without, p50", millis(later), check{secretsLatency, inMillis(later)})
	return nil
}

// defineSecrets makes the task definition and what it needs.
func (f *fixture) defineSecrets(ctx context.Context) error {
	if err := f.makeSecrets(ctx); err != nil {
		return err
	}
	var secrets []map[string]any
	for n := range 2 {
		secrets = append(secrets,
			map[string]any{"name": fmt.Sprintf("SECRET_%d", n), "valueFrom": "arn:aws:secretsmanager:us-east-1:123456789012:secret:" + secretName(n)},
			map[string]any{"name": fmt.Sprintf("PARAMETER_%d", n), "valueFrom": parameterName(n)})
	}
	if err := f.query(ctx, "iam", url.Values{
		"Action": {"PutRolePolicy"}, "Version": {"2010-05-08"}, "RoleName": {role}, "PolicyName": {"secrets"},
		"PolicyDocument": {`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["secretsmanager:GetSecretValue","ssm:GetParameters"],"Resource":"*"}]}`},
	}, nil); err != nil {
		return err
	}
	return f.define(ctx, fourSecrets, secrets)
}

// makeSecrets makes the secrets and parameters, anew when they are there.
func (f *fixture) makeSecrets(ctx context.Context) error {
	const value = "a value of a usual length, such as that of a database's URL"
	for n := range 2 {
		if err := f.json(ctx, "ssm", "AmazonSSM.PutParameter", map[string]any{
			"Name": parameterName(n), "Type": "SecureString", "Value": value, "Overwrite": true,
		}, nil); err != nil {
			return err
		}
		if err := f.json(ctx, "secretsmanager", "secretsmanager.DeleteSecret", map[string]any{
			"SecretId": secretName(n), "ForceDeleteWithoutRecovery": true,
		}, nil); err != nil {
			return err
		}
		if err := f.json(ctx, "secretsmanager", "secretsmanager.CreateSecret", map[string]any{
			"Name": secretName(n), "SecretString": value, "ClientRequestToken": uuid.NewString(),
		}, nil); err != nil {
			return err
		}
	}
	return nil
}
