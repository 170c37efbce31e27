package metrics

import (
	"encoding/binary"

	"fargo"
)

// The tables, by the first byte of their keys. Ids are eight bytes, and never used twice.
const (
	tableSeries = 's' // id → what the series is
	tablePoints = 'p' // id, hour → points
	tableSource = 'q' // source → sequence
	tableAged   = 'a' // age, in seconds → hour up to which all points are as that age wants them
)

var nextIDKey = []byte{'n'}

func idKey(table byte, id uint64) []byte {
	return binary.BigEndian.AppendUint64(append(make([]byte, 0, 13), table), id)
}

func seriesKey(id uint64) []byte { return idKey(tableSeries, id) }

// pointsKey is the key of an hour of a series; hours are counted from the epoch.
func pointsKey(id uint64, hour int64) []byte {
	return binary.BigEndian.AppendUint32(idKey(tablePoints, id), uint32(hour))
}

// pointsOf takes the key of an hour apart.
func pointsOf(key []byte) (id uint64, hour int64) {
	return binary.BigEndian.Uint64(key[1:]), int64(binary.BigEndian.Uint32(key[9:]))
}

func sourceKey(source string) []byte { return append([]byte{tableSource}, source...) }

func agedKey(age int64) []byte { return idKey(tableAged, uint64(age)) }

// appendText appends a text so that what follows it cannot be taken for a part of it.
func appendText(b []byte, text string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

func text(b []byte) (s string, rest []byte, ok bool) {
	n, size := binary.Uvarint(b)
	if size <= 0 || n > uint64(len(b)-size) {
		return "", nil, false
	}
	return string(b[size : size+int(n)]), b[size+int(n):], true
}

// appendMetric appends what tells a metric from others of its account, region and
// namespace.
func appendMetric(b []byte, name string, dimensions []Dimension) []byte {
	b = appendText(b, name)
	for _, d := range dimensions {
		b = appendText(appendText(b, d.Name), d.Value)
	}
	return b
}

// encodeSeries is what is stored of a series.
func encodeSeries(m Metric, unit string) []byte {
	var b []byte
	for _, part := range []string{m.Scope.Account, m.Scope.Region, m.Namespace, unit} {
		b = appendText(b, part)
	}
	return appendMetric(b, m.Name, m.Dimensions)
}

func decodeSeries(b []byte) (m Metric, unit string, err error) {
	var parts []string
	for len(b) > 0 {
		part, rest, ok := text(b)
		if !ok {
			return Metric{}, "", errEncoding
		}
		parts, b = append(parts, part), rest
	}
	if len(parts) < 5 || len(parts)%2 == 0 {
		return Metric{}, "", errEncoding
	}
	m = Metric{Scope: fargo.Scope{Account: parts[0], Region: parts[1]}, Namespace: parts[2], Name: parts[4]}
	for i := 5; i < len(parts); i += 2 {
		m.Dimensions = append(m.Dimensions, Dimension{parts[i], parts[i+1]})
	}
	return m, parts[3], nil
}
