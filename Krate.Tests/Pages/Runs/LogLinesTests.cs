using Krate.Core.Runs;
using Krate.Web.Features.Runs;
using Xunit;

namespace Krate.Tests.Pages.Runs;

/// <summary>How a line of a log is drawn, and which lines are.</summary>
public sealed class LogLinesTests
{
    [Theory]
    [InlineData("plain <b>text</b>", "plain &lt;b&gt;text&lt;/b&gt;")]
    [InlineData("\u001b[31mred\u001b[0m and not", "<span class=\"k-ansi-1\">red</span> and not")]
    [InlineData("\u001b[1;38;5;196mloud\u001b[22;39m", "<span class=\"k-ansi-9 k-ansi-bold\">loud</span>")]
    [InlineData("\u001b[38;2;10;200;20mgreen", "<span class=\"k-ansi-2\">green</span>")]
    [InlineData("\u001b[7;31mturned\u001b[0m", "<span class=\"k-ansi-inverse k-ansi-on-1\">turned</span>")]
    [InlineData("10 %\r50 %\r100 %\r", "100 %")]
    [InlineData("\u001b]0;a title\u0007shown\u001b[2K\u001b[1A", "shown")]
    [InlineData("\u001b]8;;javascript:alert(1)\u001b\\link\u001b]8;;\u001b\\", "link")]
    [InlineData("cut \u001b[3", "cut ")]
    [InlineData("bell\u0007 and \u202eturned", "bell\u2407 and [U+202E]turned")]
    [InlineData("\u001b[", "")]
    [InlineData("\u001b", "")]
    public void Colours_become_classes_and_everything_else_that_steers_a_terminal_does_nothing(string line, string html) => Assert.Equal(html, AnsiLine.Html(line));

    [Fact]
    public void A_line_of_nothing_but_colours_is_drawn_in_bounded_markup()
    {
        var bomb = string.Concat(Enumerable.Range(0, 20_000).Select(i => $"\u001b[3{i % 8}mx"));
        var html = AnsiLine.Html(bomb);
        Assert.True(html.Length < 60_000, $"{html.Length} characters");
        Assert.Equal(new string('x', 20_000), AnsiLine.Plain(bomb));
    }

    [Fact]
    public void What_was_found_is_marked_across_colours() =>
        Assert.Equal("a <span class=\"k-ansi-1\">fa<mark>il</mark></span><mark>ed</mark> test", AnsiLine.Html("a \u001b[31mfail\u001b[0med test", "ILED"));

    [Fact]
    public void Rows_are_all_lines_but_those_of_closed_groups_whatever_is_closed()
    {
        var random = new Random(11);
        for (var round = 0; round < 300; round++)
        {
            var lines = random.Next(1, 60);
            var closed = new List<(long First, long Last)>();
            for (long at = random.Next(5); at < lines; at += random.Next(1, 8))
            {
                var last = at + random.Next(0, 6);
                closed.Add((at, last));
                at = last + 1;
            }

            var shown = Enumerable.Range(0, lines).Select(l => (long)l).Where(l => !closed.Any(c => l > c.First && l <= c.Last)).ToList();
            var rows = new LogRows(lines, closed);
            Assert.Equal(shown.Count, rows.Count);
            Assert.Equal(shown, Enumerable.Range(0, shown.Count).Select(r => rows.LineOf(r)));
            Assert.All(shown.Select((line, row) => (line, row)), s => Assert.Equal(s.row, rows.RowOf(s.line)));
            Assert.Equal(shown, rows.Read(0, lines).SelectMany(r => Enumerable.Range(0, r.Count).Select(i => r.Line + i)));
            foreach (var (first, last) in closed.Where(c => c.Last > c.First && c.Last < lines)) Assert.Equal(rows.RowOf(first), rows.RowOf(last));
        }
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(10, 0)]
    [InlineData(1_000_000, 0)]
    [InlineData(1_000_000, 500_000)]
    [InlineData(1_000_000, 999_999)]
    [InlineData(50_000_000, 49_999_990)]
    public void A_window_is_where_one_has_scrolled_to_and_inside_of_what_a_browser_can_lay_out(long count, long at)
    {
        var window = new LogWindow(count, 40) { At = at };
        Assert.InRange(window.Height, 0, 16_000_000);
        Assert.InRange(window.Drawn, 0, 40 + (2 * LogWindow.Margin));
        Assert.True(window.First + window.Drawn <= count);
        Assert.True(window.Offset >= -LogWindow.Margin * LogWindow.RowHeight);
        // The last row ends where the list ends.
        if (window.First + window.Drawn == count && count > 40) Assert.Equal(window.Height, window.Offset + (window.Drawn * LogWindow.RowHeight), 0.01);
    }

    [Fact]
    public void An_open_group_reaches_to_the_end()
    {
        var groups = new LogGroups([new LogGroup(2, "Restore", 4), new LogGroup(6, "Test", null)], 9);
        Assert.Equal([(1L, 3L), (5L, 8L)], groups.Ranges(new HashSet<long> { 2, 6 }));
        Assert.Equal((3, 2L, 6L, null), ((int)groups.LinesIn(groups.FindAt(6)!), groups.Around(3)!.Value, groups.Around(9)!.Value, groups.Around(6)));
    }

    [Theory]
    [InlineData("status:failed branch:main verify", "failed", "main", "verify")]
    [InlineData("status:odd", null, null, "status:odd")]
    [InlineData("", null, null, "")]
    public void A_filter_of_runs_reads_the_same_when_written(string text, string? status, string? branch, string words)
    {
        var query = RunQuery.Parse(text);
        Assert.Equal((status, branch, words), (query.Status, query.Branch, string.Join(' ', query.Words)));
        Assert.Equal(text, query.ToString());
    }
}
