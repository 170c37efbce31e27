package ssm

import (
	"context"
	"maps"
	"regexp"
	"strconv"

	"fargo/aws"
	"fargo/aws/ssm"
	"fargo/plan"
	"fargo/record"
)

// mostLabels is how many labels a version has at most.
// Source: Systems Manager API, LabelParameterVersion.
const mostLabels = 10

// labelForm is that of labels, which do not begin with a digit, "aws" or "ssm".
// Source: Systems Manager API, LabelParameterVersion.
var (
	labelForm     = regexp.MustCompile(`^[A-Za-z_.-][A-Za-z0-9_.-]*$`)
	labelReserved = regexp.MustCompile(`^(?i)(aws|ssm)`)
)

// LabelParameterVersion gives a version labels, which are taken from other versions.
func (s *Server) LabelParameterVersion(ctx context.Context, in *ssm.LabelParameterVersionInput) (*ssm.LabelParameterVersionOutput, error) {
	out := &ssm.LabelParameterVersionOutput{InvalidLabels: []string{}}
	return out, s.change(ctx, *in.Name, notFound(), func(p *record.Parameter) error {
		version, err := versionOf(p, in.ParameterVersion)
		if err != nil {
			return err
		}
		labels := maps.Clone(p.Labels)
		if labels == nil {
			labels = map[string]int64{}
		}
		for _, label := range in.Labels {
			if !labelForm.MatchString(label) || labelReserved.MatchString(label) {
				out.InvalidLabels = append(out.InvalidLabels, label)
				continue
			}
			labels[label] = version
		}
		p.Labels = labels
		if len(plan.ParameterLabels(p, version)) > mostLabels {
			return ssm.ParameterVersionLabelLimitExceeded("A parameter version can have maximum %d labels.Move one or more labels to another version and try again.", mostLabels)
		}
		out.ParameterVersion = &version
		return nil
	})
}

// UnlabelParameterVersion takes labels from a version.
func (s *Server) UnlabelParameterVersion(ctx context.Context, in *ssm.UnlabelParameterVersionInput) (*ssm.UnlabelParameterVersionOutput, error) {
	out := &ssm.UnlabelParameterVersionOutput{RemovedLabels: []string{}, InvalidLabels: []string{}}
	return out, s.change(ctx, *in.Name, notFound(), func(p *record.Parameter) error {
		version, err := versionOf(p, in.ParameterVersion)
		if err != nil {
			return err
		}
		p.Labels = maps.Clone(p.Labels)
		for _, label := range in.Labels {
			if p.Labels[label] != version {
				out.InvalidLabels = append(out.InvalidLabels, label)
				continue
			}
			delete(p.Labels, label)
			out.RemovedLabels = append(out.RemovedLabels, label)
		}
		return nil
	})
}

// versionOf is the version with a number, or the current one.
func versionOf(p *record.Parameter, given *int64) (int64, error) {
	return plan.ParameterVersion(p, strconv.FormatInt(aws.ValueOr(given, p.Version), 10))
}
