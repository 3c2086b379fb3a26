// Runs the queries on stdin with the driver that the data source uses, and makes frames of them with its own converters, as
// its backend does. main.ts builds it inside a checkout of the data source, whose package it uses.
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"os"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/grafana/clickhouse-datasource/pkg/converters"
	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/grafana/grafana-plugin-sdk-go/data/sqlutil"
)

type request struct {
	Address  string
	HTTP     bool
	Database string
	User     string
	Password string
	Queries  []struct {
		SQL    string
		Format int
	}
}

type field struct {
	Name string `json:"name"`
	Type string `json:"type"`
	// The type that ClickHouse tells.
	Column string `json:"column,omitempty"`
}

type answer struct {
	Fields []field `json:"fields,omitempty"`
	Rows   int     `json:"rows"`
	Error  string  `json:"error,omitempty"`
}

// The time-out of a query, and the rows that Grafana takes by default.
const (
	timeout = time.Minute
	rowsMax = 1_000_000
)

func main() {
	var asked request
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		panic(err)
	}
	protocol, compression := clickhouse.Native, clickhouse.CompressionLZ4
	if asked.HTTP {
		protocol, compression = clickhouse.HTTP, clickhouse.CompressionGZIP
	}
	db := clickhouse.OpenDB(&clickhouse.Options{
		Addr:        []string{asked.Address},
		Auth:        clickhouse.Auth{Database: asked.Database, Username: asked.User, Password: asked.Password},
		Compression: &clickhouse.Compression{Method: compression},
		DialTimeout: 10 * time.Second,
		Protocol:    protocol,
		ReadTimeout: timeout,
	})
	defer db.Close()
	answers := make([]answer, 0, len(asked.Queries))
	for _, query := range asked.Queries {
		answers = append(answers, run(db, query.SQL, query.Format))
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		panic(err)
	}
}

func run(db *sql.DB, text string, format int) answer {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	if err := db.PingContext(ctx); err != nil {
		return answer{Error: "ping: " + err.Error()}
	}
	rows, err := db.QueryContext(ctx, text)
	if err != nil {
		return answer{Error: err.Error()}
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		return answer{Error: err.Error()}
	}
	frame, err := sqlutil.FrameFromRows(rows, rowsMax, converters.ClickhouseConverters...)
	if err != nil {
		return answer{Error: err.Error()}
	}
	isWide := format == 0 && frame.Rows() > 0 && frame.TimeSeriesSchema().Type == data.TimeSeriesTypeLong
	if isWide {
		if frame, err = data.LongToWide(frame, &data.FillMissing{Mode: data.FillModeNull}); err != nil {
			return answer{Error: err.Error()}
		}
	}
	made := answer{Rows: frame.Rows()}
	for at, each := range frame.Fields {
		told := field{Name: each.Name, Type: each.Type().ItemTypeString()}
		if !isWide {
			told.Column = types[at].DatabaseTypeName()
		}
		made.Fields = append(made.Fields, told)
	}
	return made
}
