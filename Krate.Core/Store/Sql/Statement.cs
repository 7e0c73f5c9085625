using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace Krate.Core.Store.Sql;

/// <summary>
/// A statement and its arguments (<c>$1</c>, <c>$2</c> ... on both databases). Interpolated values become arguments, never
/// text; another statement in a hole is spliced in with its arguments.
/// </summary>
internal sealed class Statement
{
    private readonly StringBuilder text = new();
    private readonly List<object> args = [];

    public Statement()
    {
    }

    /// <summary>A fixed text that numbers its own arguments: for the hot path.</summary>
    public Statement(string text, params object[] args)
    {
        this.text.Append(text);
        this.args.AddRange(args);
    }

    public string Text => text.ToString();

    public IReadOnlyList<object> Args => args;

    public static Statement Of(ref Handler handler) => handler.Statement;

    public Statement Add([InterpolatedStringHandlerArgument("")] ref Handler handler)
    {
        _ = handler;
        return this;
    }

    public Statement Raw(string sql)
    {
        text.Append(sql);
        return this;
    }

    private void Splice(Statement other)
    {
        // Only fragments made of holes are spliced; renumber their arguments.
        var from = 0;
        var sql = other.Text;
        for (var i = 0; i < sql.Length; i++)
        {
            if (sql[i] != '$') continue;
            var end = i + 1;
            while (end < sql.Length && char.IsAsciiDigit(sql[end])) end++;
            text.Append(sql, from, i - from);
            Argument(other.args[int.Parse(sql.AsSpan(i + 1, end - i - 1), CultureInfo.InvariantCulture) - 1]);
            from = end;
        }

        text.Append(sql, from, sql.Length - from);
    }

    private void Argument(object value)
    {
        args.Add(value);
        text.Append('$').Append(args.Count);
    }

    [InterpolatedStringHandler]
    internal readonly ref struct Handler
    {
        public Handler(int literalLength, int formattedCount) => Statement = new();

        public Handler(int literalLength, int formattedCount, Statement statement) => Statement = statement;

        public Statement Statement { get; }

        public void AppendLiteral(string s) => Statement.text.Append(s);

        public void AppendFormatted(string value) => Statement.Argument(value);

        public void AppendFormatted(long value) => Statement.Argument(value);

        public void AppendFormatted(byte[] value) => Statement.Argument(value);

        public void AppendFormatted(string[] value) => Statement.Argument(value);

        public void AppendFormatted(Statement value) => Statement.Splice(value);
    }
}
