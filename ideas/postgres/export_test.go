package postgres

// ListQuery is tested for its plans.
var ListQuery = listQuery
