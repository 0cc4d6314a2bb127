"""The chapters of the page, one subject each: ReportData in, a Section out."""
