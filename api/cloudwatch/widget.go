package cloudwatch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image/color"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"fargo"
	"fargo/aws"
	"fargo/aws/cloudwatch"
	"fargo/metrics"
	"fargo/metrics/chart"
	"fargo/metrics/expression"
)

// The bounds of widgets, and what they have when they do not say.
// Source: CloudWatch API, "GetMetricWidgetImage: Metric Widget Structure and Syntax".
const (
	maxWidget        = 100 << 10 // in bytes
	maxWidgetMetrics = 100
	leastSize        = 100
	mostSize         = 2000
	defaultWidth     = 600
	defaultHeight    = 395
	defaultStat      = "Average"
	defaultPeriod    = 300
	defaultStart     = "-PT3H"
	defaultEnd       = "PT0H"
)

// widget is the description of a graph.
type widget struct {
	Metrics  [][]json.RawMessage `json:"metrics"`
	Width    *int                `json:"width"`
	Height   *int                `json:"height"`
	Title    string              `json:"title"`
	View     string              `json:"view"`
	Stacked  bool                `json:"stacked"`
	Theme    string              `json:"theme"`
	Region   string              `json:"region"`
	Stat     string              `json:"stat"`
	Period   *int32              `json:"period"`
	Start    string              `json:"start"`
	End      string              `json:"end"`
	Timezone string              `json:"timezone"`
	YAxis    struct {
		Left *axis `json:"left"`
	} `json:"yAxis"`
	Annotations struct {
		Horizontal []horizontal `json:"horizontal"`
		Vertical   []vertical   `json:"vertical"`
	} `json:"annotations"`
}

type axis struct {
	Min   *float64 `json:"min"`
	Max   *float64 `json:"max"`
	Label string   `json:"label"`
}

type horizontal struct {
	Label   string   `json:"label"`
	Value   *float64 `json:"value"`
	Color   string   `json:"color"`
	Visible *bool    `json:"visible"`
}

type vertical struct {
	Label   string     `json:"label"`
	Value   *time.Time `json:"value"`
	Color   string     `json:"color"`
	Visible *bool      `json:"visible"`
}

// rendering is how a metric of a widget is shown, at the end of its list.
type rendering struct {
	Expression *string `json:"expression"`
	ID         string  `json:"id"`
	Label      string  `json:"label"`
	Color      string  `json:"color"`
	Stat       string  `json:"stat"`
	Period     *int32  `json:"period"`
	Visible    *bool   `json:"visible"`
	YAxis      string  `json:"yAxis"`
	Region     string  `json:"region"`
	AccountID  string  `json:"accountId"`
}

// GetMetricWidgetImage draws a graph.
func (s *Server) GetMetricWidgetImage(ctx context.Context, in *cloudwatch.GetMetricWidgetImageInput) (*cloudwatch.GetMetricWidgetImageOutput, error) {
	if format := aws.ValueOr(in.OutputFormat, "png"); format != "png" {
		return nil, invalid("Fargo does not implement the output format %s: it is png.", format)
	}
	if len(*in.MetricWidget) > maxWidget {
		return nil, invalid("The widget is larger than %d bytes.", maxWidget)
	}
	var w widget
	if err := decodeWidget([]byte(*in.MetricWidget), &w); err != nil {
		return nil, err
	}
	r, colors, err := s.widgetRequest(scopeOf(ctx), &w)
	if err != nil {
		return nil, err
	}
	results, err := expression.Evaluate(ctx, s.metrics, r)
	if err != nil {
		return nil, refusedQuery(err)
	}
	c, err := w.chart(r, results, colors)
	if err != nil {
		return nil, err
	}
	var image bytes.Buffer
	if err := chart.Draw(&image, c); err != nil {
		return nil, err
	}
	return &cloudwatch.GetMetricWidgetImageOutput{MetricWidgetImage: image.Bytes()}, nil
}

// unknownProperty finds the name in the error of a property that is not known.
var unknownProperty = regexp.MustCompile(`unknown field "(.*)"`)

// decodeWidget reads a part of a widget. Properties that have no effect here are refused.
func decodeWidget(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	var mismatch *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &mismatch):
		return invalid("The property %s of the widget has a value of the wrong type.", mismatch.Field)
	}
	if m := unknownProperty.FindStringSubmatch(err.Error()); m != nil {
		return invalid("Fargo does not implement the property %s of widgets.", m[1])
	}
	return invalid("The widget is not valid JSON.")
}

// widgetRequest checks a widget, and says what it shows and in which colors.
func (s *Server) widgetRequest(scope fargo.Scope, w *widget) (r expression.Request, colors map[string]string, err error) {
	if err := w.check(scope); err != nil {
		return r, nil, err
	}
	r = expression.Request{Scope: scope, Now: s.now()}
	if r.Zone, err = zone(orDefault(w.Timezone, "+0000")); err != nil {
		return r, nil, err
	}
	if r.Start, err = widgetTime(orDefault(w.Start, defaultStart), r.Now); err != nil {
		return r, nil, err
	}
	if r.End, err = widgetTime(orDefault(w.End, defaultEnd), r.Now); err != nil {
		return r, nil, err
	}
	if err := checkRange(r.Start, r.End); err != nil {
		return r, nil, err
	}
	colors = map[string]string{}
	var before []string
	for i, row := range w.Metrics {
		q, shown, texts, err := w.query(scope, i, row, before)
		if err != nil {
			return r, nil, err
		}
		if _, twice := colors[q.ID]; twice {
			return r, nil, invalid("The id %s is given twice in the widget.", q.ID)
		}
		colors[q.ID] = shown.Color
		r.Queries = append(r.Queries, q)
		if texts != nil {
			before = texts
		}
	}
	return r, colors, nil
}

func orDefault(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

func (w *widget) check(scope fargo.Scope) error {
	switch {
	case w.View != "" && w.View != "timeSeries":
		return invalid("Fargo does not implement the view %s of widgets: it is timeSeries.", w.View)
	case w.Stacked:
		return invalid("Fargo does not implement stacked graphs.")
	case w.Theme != "" && w.Theme != "light" && w.Theme != "dark":
		return invalid("The theme %s is neither light nor dark.", w.Theme)
	case w.Region != "" && w.Region != scope.Region:
		return invalid("Fargo does not implement graphs of metrics of other regions.")
	case len(w.Metrics) > maxWidgetMetrics:
		return invalid("A widget can have no more than %d metrics.", maxWidgetMetrics)
	}
	for _, size := range []*int{w.Width, w.Height} {
		if n := aws.ValueOr(size, leastSize); n < leastSize || n > mostSize {
			return invalid("The width and the height of a widget must be between %d and %d.", leastSize, mostSize)
		}
	}
	return nil
}

// query reads a row of a widget's metrics: a namespace, a name, dimensions, and how it is
// shown; or only how, with an expression. "." stands for the text in the same place of the
// row before, "..." for all of them up to here. texts are the row's, nil of an expression.
func (w *widget) query(scope fargo.Scope, i int, row []json.RawMessage, before []string) (q expression.Query, shown rendering, texts []string, err error) {
	if n := len(row); n > 0 && bytes.HasPrefix(bytes.TrimSpace(row[n-1]), []byte("{")) {
		if err := decodeWidget(row[n-1], &shown); err != nil {
			return q, shown, nil, err
		}
		row = row[:n-1]
	}
	switch {
	case shown.YAxis != "" && shown.YAxis != "left":
		return q, shown, nil, invalid("Fargo does not implement the %s axis of widgets: it is left.", shown.YAxis)
	case shown.Region != "" && shown.Region != scope.Region, shown.AccountID != "" && shown.AccountID != scope.Account:
		return q, shown, nil, invalid("Fargo does not implement graphs of metrics of other regions or accounts.")
	}
	period := aws.ValueOr(shown.Period, aws.ValueOr(w.Period, defaultPeriod))
	if err := checkPeriod(period, "period"); err != nil {
		return q, shown, nil, err
	}
	q = expression.Query{
		ID: orDefault(shown.ID, "widget_"+strconv.Itoa(i+1)), Label: shown.Label, Hidden: !aws.ValueOr(shown.Visible, true),
		Period: time.Duration(period) * time.Second,
	}
	if !queryID.MatchString(q.ID) {
		return q, shown, nil, invalid("The id %s of the widget is not matching the expected pattern %s.", q.ID, queryID)
	}
	if shown.Expression != nil {
		if q.Expression = *shown.Expression; q.Expression == "" || len(row) > 0 {
			return q, shown, nil, invalid("The expression in row %d of the widget's metrics is empty, or with a metric.", i+1)
		}
		return q, shown, nil, nil
	}
	if texts, err = rowTexts(i, row, before); err != nil {
		return q, shown, nil, err
	}
	q.Metric = metrics.Metric{Scope: scope, Namespace: texts[0], Name: texts[1]}
	for d := 2; d < len(texts); d += 2 {
		q.Metric.Dimensions = append(q.Metric.Dimensions, metrics.Dimension{Name: texts[d], Value: texts[d+1]})
	}
	stat := orDefault(shown.Stat, orDefault(w.Stat, defaultStat))
	if q.Statistic, err = metrics.ParseStatistic(stat); err != nil {
		return q, shown, nil, invalid("The statistic %s of the widget is not supported.", stat)
	}
	return q, shown, texts, nil
}

// rowTexts fills in what a row leaves to the one before.
func rowTexts(i int, row []json.RawMessage, before []string) (texts []string, err error) {
	wrong := invalid("Row %d of the widget's metrics is not a namespace, a name, and names and values of dimensions.", i+1)
	for at, raw := range row {
		var text string
		if json.Unmarshal(raw, &text) != nil {
			return nil, wrong
		}
		switch {
		case text == "..." && at == 0 && len(before) >= len(row)-1:
			texts = append(texts, before[:len(before)-(len(row)-1)]...)
			continue
		case text == "..." || text == "." && len(texts) >= len(before):
			return nil, wrong
		case text == ".":
			text = before[len(texts)]
		}
		texts = append(texts, text)
	}
	if len(texts) < 2 || len(texts)%2 != 0 {
		return nil, wrong
	}
	return texts, nil
}

var duration = regexp.MustCompile(`^-?P(?:(\d{1,4})W)?(?:(\d{1,4})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,7})S)?)?$`)

// widgetTime reads a time, or a duration before now: "-PT3H".
func widgetTime(text string, now time.Time) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	m := duration.FindStringSubmatch(text)
	if m == nil || strings.HasSuffix(text, "P") || strings.HasSuffix(text, "T") {
		return now, invalid("The time %s of the widget is neither a time nor a duration.", text)
	}
	var ago time.Duration
	for i, unit := range []time.Duration{7 * 24 * time.Hour, 24 * time.Hour, time.Hour, time.Minute, time.Second} {
		n, _ := strconv.Atoi(m[i+1]) // absent is 0
		ago += time.Duration(n) * unit
	}
	return now.Add(-ago), nil
}

// chart is what is drawn.
func (w *widget) chart(r expression.Request, results []expression.Result, colors map[string]string) (*chart.Chart, error) {
	c := &chart.Chart{
		Title: w.Title, Width: aws.ValueOr(w.Width, defaultWidth), Height: aws.ValueOr(w.Height, defaultHeight), Dark: w.Theme == "dark",
		Start: r.Start, End: r.End, Zone: r.Zone,
	}
	if a := w.YAxis.Left; a != nil {
		if math.Abs(aws.Value(a.Min)) > largest || math.Abs(aws.Value(a.Max)) > largest {
			return nil, invalid("The bounds of the widget's axis are too large.")
		}
		c.Minimum, c.Maximum, c.AxisLabel = a.Min, a.Max, a.Label
	}
	for _, result := range results {
		ink, err := parseColor(colors[result.ID])
		if err != nil {
			return nil, err
		}
		c.Lines = append(c.Lines, chart.Line{Label: result.Label, Color: ink, Times: result.Times, Values: result.Values, Period: result.Period})
	}
	for _, a := range w.Annotations.Horizontal {
		if a.Value == nil || math.Abs(*a.Value) > largest {
			return nil, invalid("A horizontal annotation of the widget has no value, or one that is too large.")
		}
		if err := annotate(&c.Horizontal, a.Visible, a.Label, *a.Value, a.Color); err != nil {
			return nil, err
		}
	}
	for _, a := range w.Annotations.Vertical {
		if a.Value == nil {
			return nil, invalid("A vertical annotation of the widget has no time.")
		}
		if err := annotate(&c.Vertical, a.Visible, a.Label, float64(a.Value.Unix()), a.Color); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func annotate(to *[]chart.Mark, visible *bool, label string, at float64, ink string) error {
	parsed, err := parseColor(ink)
	if err == nil && aws.ValueOr(visible, true) {
		*to = append(*to, chart.Mark{Label: label, At: at, Color: parsed})
	}
	return err
}

// parseColor reads "#ff0000"; nil for none.
func parseColor(text string) (color.Color, error) {
	if text == "" {
		return nil, nil
	}
	v, err := strconv.ParseUint(strings.TrimPrefix(text, "#"), 16, 24)
	if err != nil || len(text) != 7 || text[0] != '#' {
		return nil, invalid("The color %s of the widget is not six hexadecimal digits after #.", text)
	}
	return color.RGBA{R: uint8(v >> 16), G: uint8(v >> 8), B: uint8(v), A: 0xff}, nil
}
