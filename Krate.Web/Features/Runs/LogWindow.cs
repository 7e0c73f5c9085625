namespace Krate.Web.Features.Runs;

/// <summary>
/// Which rows of a long list are drawn, and where. Rows have one height; a list that is too tall for a browser is a shorter one that scrolls
/// faster. Pure; everything in rows and CSS pixels.
/// </summary>
/// <param name="Count">All rows.</param>
/// <param name="Visible">Rows that fit on the screen.</param>
public sealed record LogWindow(long Count, int Visible)
{
    public const int RowHeight = 20;

    /// <summary>Rows above and below the screen that are drawn, too: scrolling shows them at once.</summary>
    public const int Margin = 60;

    /// <summary>What every browser can lay out (Firefox: 17.8 million).</summary>
    private const double MaxHeight = 16_000_000;

    public double Height => Math.Min((double)Count * RowHeight, MaxHeight);

    /// <summary>The row at the top of the screen.</summary>
    public long At { get; init; }

    public long First => Math.Max(0, Top - Margin);

    public int Drawn => (int)Math.Min(Count - First, Visible + (2 * Margin));

    /// <summary>Where the first drawn row begins.</summary>
    public double Offset => ScrollOf(Top) - ((Top - First) * RowHeight);

    private long Top => Math.Clamp(At, 0, LastTop);

    private long LastTop => Math.Max(0, Count - Visible);

    /// <summary>How far one scrolls to have a row at the top.</summary>
    private double ScrollOf(long row) => LastTop == 0 ? 0 : (double)row / LastTop * Math.Max(0, Height - (Visible * RowHeight));
}
