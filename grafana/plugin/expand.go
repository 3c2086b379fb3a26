// Expands the macros of the queries on stdin with the data source's own code: a JSON array of texts in, one of answers out.
// main.ts builds it inside a checkout of the data source, whose package it uses.
package main

import (
	"encoding/json"
	"os"
	"time"

	"github.com/grafana/clickhouse-datasource/pkg/macros"
	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data/sqlutil"
)

type request struct {
	FromMs     int64
	ToMs       int64
	IntervalMs int64
	Queries    []string
}

type answer struct {
	SQL   string `json:"sql,omitempty"`
	Error string `json:"error,omitempty"`
}

func main() {
	var asked request
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		panic(err)
	}
	answers := make([]answer, 0, len(asked.Queries))
	for _, text := range asked.Queries {
		query := &sqlutil.Query{
			RawSQL:    text,
			Interval:  time.Duration(asked.IntervalMs) * time.Millisecond,
			TimeRange: backend.TimeRange{From: time.UnixMilli(asked.FromMs).UTC(), To: time.UnixMilli(asked.ToMs).UTC()},
		}
		expanded, err := macros.Interpolate(text, query)
		if err != nil {
			answers = append(answers, answer{Error: err.Error()})
			continue
		}
		answers = append(answers, answer{SQL: expanded})
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		panic(err)
	}
}
