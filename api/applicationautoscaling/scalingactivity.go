package applicationautoscaling

import (
	"context"
	"slices"
	"strings"

	"fargo/api/page"
	"fargo/aws"
	autoscaling "fargo/aws/applicationautoscaling"
	"fargo/record"
	"fargo/store"
)

// DescribeScalingActivities shows what was done to scalable targets, the newest first; what
// was not done, and why, when that is asked for.
func (s *Server) DescribeScalingActivities(ctx context.Context, in *autoscaling.DescribeScalingActivitiesInput) (*autoscaling.DescribeScalingActivitiesOutput, error) {
	prefix, err := listed(scopeOf(ctx), in.ServiceNamespace, in.ResourceId, in.ScalableDimension)
	if err != nil {
		return nil, err
	}
	all := slices.Collect(wanted(store.ScalingActivities.Prefix(s.db.View(), prefix), func(a *record.ScalingActivity) bool {
		return len(a.Activity.NotScaledReasons) == 0 || aws.Value(in.IncludeNotScaledActivities)
	}))
	slices.SortFunc(all, func(a, b *record.ScalingActivity) int { return strings.Compare(byTime(b), byTime(a)) })
	found, next, err := page.Of(pages.Ask(in, in.NextToken, in.MaxResults).Descending(true), slices.Values(all), byTime)
	out := &autoscaling.DescribeScalingActivitiesOutput{ScalingActivities: []autoscaling.ScalingActivity{}, NextToken: next}
	for _, a := range found {
		out.ScalingActivities = append(out.ScalingActivities, a.Activity)
	}
	return out, err
}

// byTime orders activities by their beginning.
func byTime(a *record.ScalingActivity) string {
	return a.Activity.StartTime.UTC().Format("20060102T150405.000000000") + a.Key()
}
