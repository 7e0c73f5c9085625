using MudBlazor;

namespace Krate.Web.Layout;

/// <summary>
/// What MudBlazor takes from C#. The colours come from tokens.css through mud-bridge.css; the palettes repeat the few that
/// MudBlazor computes from.
/// </summary>
public static class KrateTheme
{
    private static readonly string[] Sans = ["Inter Variable", "Inter", "Segoe UI", "system-ui", "sans-serif"];

    public static MudTheme Create() => new()
    {
        PaletteLight = new PaletteLight
        {
            Primary = "#2757D0", Info = "#1E58C7", Success = "#1B7A40", Warning = "#835200", Error = "#B4232A",
            TextPrimary = "#161A20", TextSecondary = "#48515E", Background = "#F3F4F6", Surface = "#FFFFFF",
            AppbarBackground = "#F3F4F6", AppbarText = "#161A20", DrawerBackground = "#F3F4F6", DrawerText = "#48515E", DrawerIcon = "#48515E",
            LinesDefault = "#E1E4E9", LinesInputs = "#828B99", TableLines = "#E1E4E9", Divider = "#E1E4E9",
            HoverOpacity = 0.04, RippleOpacity = 0,
        },
        PaletteDark = new PaletteDark
        {
            Primary = "#3461DC", Info = "#82B1FF", Success = "#268248", Warning = "#E4B250", Error = "#FF8F8B",
            TextPrimary = "#E6E9EE", TextSecondary = "#AEB7C4", Background = "#0C0F13", Surface = "#12161B",
            AppbarBackground = "#0C0F13", AppbarText = "#E6E9EE", DrawerBackground = "#0C0F13", DrawerText = "#AEB7C4", DrawerIcon = "#AEB7C4",
            LinesDefault = "#252C35", LinesInputs = "#6A7585", TableLines = "#252C35", Divider = "#252C35",
            HoverOpacity = 0.06, RippleOpacity = 0,
        },
        LayoutProperties = new LayoutProperties { DefaultBorderRadius = "6px", AppbarHeight = "48px", DrawerWidthLeft = "208px", DrawerMiniWidthLeft = "56px" },
        ZIndex = new ZIndex { Drawer = 1100, Popover = 1200, AppBar = 1300, Dialog = 1400, Snackbar = 1500, Tooltip = 1600 },
        Typography = new Typography
        {
            Default = new DefaultTypography { FontFamily = Sans, FontSize = "13px", LineHeight = "20px", LetterSpacing = "0" },
            H1 = new H1Typography { FontFamily = Sans, FontSize = "20px", LineHeight = "28px", FontWeight = "600", LetterSpacing = "-.012em" },
            H2 = new H2Typography { FontFamily = Sans, FontSize = "16px", LineHeight = "24px", FontWeight = "600", LetterSpacing = "0" },
            H3 = new H3Typography { FontFamily = Sans, FontSize = "13px", LineHeight = "20px", FontWeight = "600", LetterSpacing = "0" },
            Body1 = new Body1Typography { FontFamily = Sans, FontSize = "13px", LineHeight = "20px", LetterSpacing = "0" },
            Body2 = new Body2Typography { FontFamily = Sans, FontSize = "13px", LineHeight = "20px", LetterSpacing = "0" },
            Caption = new CaptionTypography { FontFamily = Sans, FontSize = "12px", LineHeight = "16px", LetterSpacing = "0" },
            Button = new ButtonTypography { FontFamily = Sans, FontSize = "13px", LineHeight = "20px", FontWeight = "500", LetterSpacing = "0", TextTransform = "none" },
        },
    };
}
